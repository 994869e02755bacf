# Called with a provider of another region too, so it says what it needs.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 3.0"
    }
  }
}

variable "name" {
  type = string
}

variable "versioning" {
  type    = bool
  default = false
}

variable "expire_days" {
  description = "0: never"
  type        = number
  default     = 0
}

variable "kms_key_id" {
  type    = string
  default = null
}

variable "tags" {
  type    = map(string)
  default = {}
}

resource "aws_s3_bucket" "this" {
  bucket = var.name
  acl    = "private"
  tags   = var.tags

  versioning {
    enabled = var.versioning
  }

  dynamic "lifecycle_rule" {
    for_each = var.expire_days > 0 ? [var.expire_days] : []
    iterator = days

    content {
      id      = "expire"
      enabled = true

      expiration {
        days = days.value
      }
    }
  }

  server_side_encryption_configuration {
    rule {
      apply_server_side_encryption_by_default {
        sse_algorithm     = var.kms_key_id == null ? "AES256" : "aws:kms"
        kms_master_key_id = var.kms_key_id
      }
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

output "id" {
  value = aws_s3_bucket.this.id
}

output "arn" {
  value = aws_s3_bucket.this.arn
}
