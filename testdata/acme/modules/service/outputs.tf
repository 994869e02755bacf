output "queue" {
  description = "The queue module as a whole: arn, url, name, dead_letter_arn"
  value       = module.queue
}

output "topic_arn" {
  value = aws_sns_topic.events.arn
}

output "role" {
  value = {
    name = aws_iam_role.this.name
    arn  = aws_iam_role.this.arn
  }
}

output "table_arn" {
  description = "Null if the service has no table"
  value       = one(module.table[*].table.arn)
}

output "security_group_id" {
  value = aws_security_group.this.id
}

output "log_group" {
  value = aws_cloudwatch_log_group.this.name
}
