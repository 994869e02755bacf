environment = "prod"
domain      = "acme.example"
vpc_cidr    = "10.20.0.0/16"
alarm_email = "oncall@acme.example"

# network
single_nat_gateway = false
office_cidrs = {
  berlin        = "192.0.2.0/28"
  "lisbon.2025" = "198.51.100.16/28" # moved house; the old one is gone
}

# services
service_overrides = {
  orders = {
    visibility_timeout = 120
    alarm_threshold    = 1000
  }
  payments = {
    visibility_timeout = 300
    alarm_threshold    = 10
  }
}
log_retention_days = 90

extra_tags = {
  cost-center = "4711"
}
