locals {
  project = "acme"
  name    = "${local.project}-${var.environment}"
  prefix  = "/${local.project}/${var.environment}"

  is_prod = var.environment == "prod"

  # Every resource carries these. Merged again in many places, see `local.tags_for`.
  tags = merge(
    {
      Project     = local.project
      Environment = var.environment
      ManagedBy   = "terraform"
    },
    var.extra_tags,
  )

  tags_for = {
    for area in ["network", "base", "data", "legacy"] : area => merge(local.tags, { Area = area })
  }

  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.name
  arn_suffix = "${local.region}:${local.account_id}"
}

# Where things are. Half of the repository reads these two objects rather than the resources.
locals {
  azs = [for letter in var.az_letters : "${var.region}${letter}"]

  network = {
    vpc_id             = aws_vpc.main.id
    cidr               = aws_vpc.main.cidr_block
    private_subnet_ids = aws_subnet.private[*].id
    data_subnet_ids    = aws_subnet.data.*.id # old splat, still fine
    security_groups = {
      internal = aws_security_group.internal.id
      worker   = aws_security_group.worker.id
    }
  }

  platform = {
    kms_key_arn     = aws_kms_key.main.arn
    alarm_topic_arn = aws_sns_topic.alarms.arn
    event_bus_name  = aws_cloudwatch_event_bus.shop.name
    permissions     = aws_iam_policy.workload_boundary.arn
    zone            = aws_route53_zone.public
    log_retention   = var.log_retention_days
  }
}
