# Data that no service owns alone.

locals {
  buckets = {
    assets    = { versioning = true, expire_days = 0 }
    artifacts = { versioning = false, expire_days = 30 }
    exports   = { versioning = false, expire_days = 365 }
  }
}

module "bucket" {
  source   = "./modules/bucket"
  for_each = local.buckets

  name        = "${local.name}-${each.key}-${local.account_id}"
  versioning  = each.value.versioning
  expire_days = each.value.expire_days
  kms_key_id  = each.key == "exports" ? aws_kms_key.main.arn : null
  tags        = local.tags_for["data"]
}

# A second copy of what customers see, in the region CloudFront calls home.
module "assets_replica" {
  source = "./modules/bucket"

  providers = {
    aws = aws.us_east_1
  }

  name       = "${module.bucket["assets"].id}-replica"
  versioning = true
  tags       = merge(local.tags_for["data"], { Region = data.aws_region.replica.name })
}

resource "aws_s3_bucket_policy" "assets" {
  bucket = module.bucket["assets"].id

  policy = templatefile("${path.module}/templates/bucket-policy.json.tftpl", {
    bucket_arn = module.bucket["assets"].arn
    vpc_id     = aws_vpc.main.id
    actions    = ["s3:GetObject", "s3:GetObjectVersion"]
  })
}

resource "aws_s3_bucket_object" "robots" {
  bucket       = module.bucket["assets"].id
  key          = "robots.txt"
  content_type = "text/plain"
  content      = <<-TEXT
    # ${local.name}
    User-agent: *
    %{~if local.is_prod}
    Allow: /
    %{~else}
    Disallow: /
    %{~endif}
    Sitemap: https://${var.domain}/sitemap.xml
  TEXT
}

resource "aws_s3_bucket_object" "error_pages" {
  for_each = fileset("${path.module}/files", "*.html")

  bucket       = module.bucket["assets"].id
  key          = "errors/${each.value}"
  source       = "${path.module}/files/${each.value}"
  etag         = filemd5("${path.module}/files/${each.value}")
  content_type = "text/html"
}

# Sessions: every service reads them, the shop front writes them.
module "sessions" {
  source = "./modules/table"

  name      = "${local.name}-sessions"
  hash_key  = "session_id"
  ttl_field = "expires_at"
  tags      = local.tags_for["data"]
}

# Where the retired terraform module of the shop front used to keep its table.
moved {
  from = aws_dynamodb_table.sessions
  to   = module.sessions.aws_dynamodb_table.this
}
