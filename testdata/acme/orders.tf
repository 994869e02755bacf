# Orders, apart from what modules/service gives it.

resource "aws_sqs_queue" "orders_export" {
  name                        = "${local.name}-orders-export.fifo"
  fifo_queue                  = true
  content_based_deduplication = true

  # Failed exports are looked at together with everything else that failed.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.orders_export_dead.arn
    maxReceiveCount     = 4
  })

  tags = merge(local.tags, { Service = "orders" })
}

resource "aws_sqs_queue" "orders_export_dead" {
  name       = "${local.name}-orders-export-dead.fifo"
  fifo_queue = true
  tags       = merge(local.tags, { Service = "orders" })
}

resource "aws_iam_role_policy" "orders_export" {
  name = "export"
  role = module.service["orders"].role.name

  policy = <<-EOF
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Action": ["s3:PutObject"],
          "Resource": "${module.bucket["exports"].arn}/orders/*"
        },
        {
          "Effect": "Allow",
          "Action": ["sqs:SendMessage"],
          "Resource": ["${aws_sqs_queue.orders_export.arn}", "${module.service["orders"].queue.arn}"]
        },
        {
          "Effect": "Allow",
          "Action": ["dynamodb:GetItem"],
          "Resource": "${module.sessions.table.arn}"
        }
      ]
    }
  EOF
}

# Orders is told of new prices.
resource "aws_sns_topic_subscription" "orders_catalog" {
  topic_arn = aws_sns_topic.catalog_changes.arn
  protocol  = "sqs"
  endpoint  = module.service["orders"].queue.arn

  filter_policy = jsonencode({ kind = ["price"] })
}

resource "aws_cloudwatch_event_rule" "orders_placed" {
  name           = "${local.name}-orders-placed"
  event_bus_name = aws_cloudwatch_event_bus.shop.name

  event_pattern = jsonencode({
    source        = ["acme.shop"]
    "detail-type" = ["OrderPlaced"]
  })

  tags = merge(local.tags, { Service = "orders" })
}

resource "aws_cloudwatch_event_target" "orders_placed" {
  rule           = aws_cloudwatch_event_rule.orders_placed.name
  event_bus_name = aws_cloudwatch_event_rule.orders_placed.event_bus_name
  target_id      = "queue"
  arn            = module.service["orders"].queue.arn
}
