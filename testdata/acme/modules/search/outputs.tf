output "queue_names" {
  value = { for key, queue in module.queue : key => queue.name }
}

output "security_group_id" {
  value = aws_security_group.this.id
}
