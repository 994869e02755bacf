# What every service of the shop has: a queue to read from, a topic to tell the
# others, a role, a log group and its settings. A table only if it asks for one.

module "labels" {
  source = "../labels"

  namespace = var.namespace
  component = var.name
  tags      = var.tags
}

module "queue" {
  source = "../queue"

  name               = module.labels.id
  visibility_timeout = var.settings.visibility_timeout
  kms_key_arn        = var.platform.kms_key_arn
  topic_arns         = var.listens_to
  alarm_topic_arn    = var.platform.alarm_topic_arn
  alarm_threshold    = var.settings.alarm_threshold
  tags               = module.labels.tags
}

resource "aws_sns_topic" "events" {
  name              = "${module.labels.id}-events"
  kms_master_key_id = var.platform.kms_key_arn
  tags              = module.labels.tags
}

module "table" {
  source = "../table"
  count  = var.table == null ? 0 : 1

  name      = module.labels.id
  hash_key  = var.table.hash_key
  range_key = var.table.range_key
  stream    = true
  tags      = module.labels.tags
}

resource "aws_security_group" "this" {
  name        = module.labels.id
  description = "Service ${var.name}"
  vpc_id      = var.network.vpc_id

  dynamic "ingress" {
    for_each = var.ports

    content {
      description     = "port ${ingress.value}"
      protocol        = "tcp"
      from_port       = ingress.value
      to_port         = ingress.value
      security_groups = [var.network.security_groups.internal]
    }
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }

  tags = merge(module.labels.tags, { Name = module.labels.id })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${replace(var.namespace, "-", "/")}/service/${var.name}"
  retention_in_days = var.platform.log_retention
  tags              = module.labels.tags
}

resource "aws_cloudwatch_event_rule" "schedule" {
  for_each = var.schedules

  name                = "${module.labels.id}-${each.key}"
  description         = "Wakes ${var.name}: ${each.key}"
  schedule_expression = each.value
  tags                = module.labels.tags
}

resource "aws_cloudwatch_event_target" "schedule" {
  for_each = aws_cloudwatch_event_rule.schedule

  rule      = each.value.name
  target_id = "queue"
  arn       = module.queue.arn
  input     = jsonencode({ job = each.key })
}

resource "aws_ssm_parameter" "settings" {
  name = "/${replace(var.namespace, "-", "/")}/service/${var.name}"
  type = "String"
  tags = module.labels.tags

  value = templatefile("${path.module}/templates/settings.json.tftpl", {
    name    = var.name
    queue   = module.queue
    topic   = aws_sns_topic.events.arn
    tables  = module.table[*].table.name
    subnets = var.network.private_subnet_ids
    bus     = var.platform.event_bus_name
  })
}
