resource "aws_sns_topic_subscription" "returns_shipping" {
  topic_arn = module.service["shipping"].topic_arn
  protocol  = "sqs"
  endpoint  = module.service["returns"].queue.arn
}
