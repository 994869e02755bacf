resource "aws_cloudwatch_log_group" "platform" {
  for_each = toset(["cluster", "ingress", "audit"])

  name              = "${local.prefix}/${each.key}"
  retention_in_days = each.key == "audit" ? 3653 : var.log_retention_days
  tags              = local.tags_for["base"]
}

# Pattern => name of the metric. A pattern is what one has in hand when one looks for its filter.
locals {
  log_patterns = {
    "{ $.level = \"error\" }"                = "errors"
    "{ $.status >= 500 }"                    = "server-errors"
    "[ip, user, ..., status=4*, size, time]" = "client-errors"
  }
}

resource "aws_cloudwatch_log_metric_filter" "ingress" {
  for_each = local.log_patterns

  name           = "${local.name}-${each.value}"
  log_group_name = aws_cloudwatch_log_group.platform["ingress"].name
  pattern        = each.key

  metric_transformation {
    name      = each.value
    namespace = "acme/ingress"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "ingress_errors" {
  for_each = toset([for pattern, metric in local.log_patterns : metric if metric != "client-errors"])

  alarm_name          = "${local.name}-ingress-${each.key}"
  namespace           = "acme/ingress"
  metric_name         = each.key
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 2
  threshold           = local.is_prod ? 5 : 50
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.platform.alarm_topic_arn]
}
