output "arn" {
  value = aws_sqs_queue.this.arn
}

output "url" {
  value = aws_sqs_queue.this.id
}

output "name" {
  value = aws_sqs_queue.this.name
}

output "dead_letter_arn" {
  value = aws_sqs_queue.dead.arn
}
