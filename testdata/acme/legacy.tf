# ------------------------------------------------------------------------------
# What nobody wants to own: the nightly export and the board in the hall.
# ------------------------------------------------------------------------------

resource "aws_cloudwatch_dashboard" "hall" {
  dashboard_name = "${local.name}-hall"

  dashboard_body = templatefile("${path.module}/templates/dashboard.json.tftpl", {
    region = local.region
    queues = concat(
      [for name, service in module.service : service.queue.name],
      values(aws_sqs_queue.carrier)[*].name,
      flatten([for search in module.search : values(search.queue_names)]),
    )
  })
}

resource "aws_sqs_queue" "nightly_export" {
  name = "${local.name}-nightly-export"
  tags = local.tags_for["legacy"]
}

resource "aws_cloudwatch_event_rule" "nightly_export" {
  name                = "${local.name}-nightly-export"
  schedule_expression = "cron(0 1 * * ? *)"
  is_enabled          = local.is_prod
  tags                = local.tags_for["legacy"]
}

resource "aws_cloudwatch_event_target" "nightly_export" {
  rule      = aws_cloudwatch_event_rule.nightly_export.name
  target_id = "queue"
  arn       = aws_sqs_queue.nightly_export.arn

  input = jsonencode({
    bucket = module.bucket["exports"].id
    tables = compact([for name, service in module.service : service.table_arn])
  })
}
