output "vpc_id" {
  value = aws_vpc.main.id
}

output "private_subnets" {
  description = "zone => subnet"
  value       = { for subnet in aws_subnet.private : subnet.availability_zone => subnet.id }
}

output "name_servers" {
  value = aws_route53_zone.public.name_servers
}

output "queues" {
  description = "service => URL of its queue"
  value       = { for name, service in module.service : name => service.queue.url }
}

output "payment_provider_token" {
  description = "For the smoke test after a rotation"
  value       = aws_ssm_parameter.payment_provider_token.value
  sensitive   = true
}

output "search_security_group" {
  value = one(module.search[*].security_group_id)
}
