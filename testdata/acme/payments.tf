# Payments, apart from what modules/service gives it.

# Rotated by hand in the console, hence ignore_changes.
resource "aws_ssm_parameter" "payment_provider_token" {
  name   = "${local.prefix}/payments/provider-token"
  type   = "SecureString"
  key_id = aws_kms_key.main.key_id
  value  = var.payment_provider_token
  tags   = merge(local.tags, { Service = "payments" })

  lifecycle {
    ignore_changes = [value]
  }
}

resource "aws_iam_role_policy" "payments_token" {
  name = "provider-token"
  role = module.service["payments"].role.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["ssm:GetParameter"]
      Resource = [aws_ssm_parameter.payment_provider_token.arn]
    }]
  })
}

resource "aws_sns_topic_subscription" "payments_orders" {
  topic_arn = module.service["orders"].topic_arn
  protocol  = "sqs"
  endpoint  = module.service["payments"].queue.arn
}

resource "aws_cloudwatch_metric_alarm" "payments_failed" {
  alarm_name          = "${local.name}-payments-failed"
  alarm_description   = <<-EOT
    More than one payment in twenty fails.
    Logs: ${module.service["payments"].log_group}
    %{if local.is_prod~}
    Call the payment provider, the number is in the parameter ${aws_ssm_parameter.payment_provider_token.name}.
    %{endif~}
  EOT
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 3
  threshold           = 5
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "rate"
    expression  = "100 * failed / (failed + done)"
    label       = "failed payments, percent"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = toset(["failed", "done"])

    content {
      id = metric_query.key

      metric {
        namespace   = "acme/payments"
        metric_name = metric_query.value
        period      = 300
        stat        = "Sum"
        dimensions  = { Queue = module.service["payments"].queue.name }
      }
    }
  }

  alarm_actions = [aws_sns_topic.alarms.arn]

  depends_on = [aws_sns_topic_subscription.alarms]
}
