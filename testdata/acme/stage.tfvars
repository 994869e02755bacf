environment        = "stage"
domain             = "stage.acme.example"
vpc_cidr           = "10.30.0.0/16"
az_letters         = ["a", "b"]
alarm_email        = "dev@acme.example"
single_nat_gateway = true
search_enabled     = false
log_retention_days = 7

office_cidrs = {
  berlin = "192.0.2.0/28"
}
