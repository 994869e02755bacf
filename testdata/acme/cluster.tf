resource "aws_ecs_cluster" "main" {
  name = local.name
  tags = local.tags_for["base"]
}

resource "aws_cloudwatch_event_bus" "shop" {
  name = "${local.name}-shop"
  tags = local.tags_for["base"]
}

resource "aws_sns_topic" "alarms" {
  name         = "${local.name}-alarms"
  display_name = "Alarms of ${local.name}"
  tags         = local.tags_for["base"]
}

resource "aws_sns_topic_subscription" "alarms" {
  count = local.is_prod ? 1 : 0

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "https"
  endpoint  = "https://pager.${var.domain}/alarms?to=${urlencode(var.alarm_email)}"

  endpoint_auto_confirms = true
}
