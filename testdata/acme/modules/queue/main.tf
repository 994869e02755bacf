# A queue, the queue for what could not be handled, and the alarms on both.

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = 1209600
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags
}

resource "aws_sqs_queue" "this" {
  name                       = var.name
  visibility_timeout_seconds = var.visibility_timeout
  kms_master_key_id          = var.kms_key_arn
  receive_wait_time_seconds  = 20

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.max_receives
  })

  tags = var.tags
}

# Topics may write into the queue, if there are any.
resource "aws_sqs_queue_policy" "topics" {
  count = length(var.topic_arns) > 0 ? 1 : 0

  queue_url = aws_sqs_queue.this.id
  policy    = data.aws_iam_policy_document.topics[0].json
}

data "aws_iam_policy_document" "topics" {
  count = length(var.topic_arns) > 0 ? 1 : 0

  statement {
    sid       = "Topics"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.this.arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = var.topic_arns
    }
  }
}

locals {
  alarms = {
    depth = {
      queue     = aws_sqs_queue.this.name
      threshold = var.alarm_threshold
    }
    dead = {
      queue     = aws_sqs_queue.dead.name
      threshold = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = each.key == "depth" ? [var.alarm_topic_arn] : []

  dimensions = {
    QueueName = each.value.queue
  }
}
