variable "environment" {
  description = "prod or stage"
  type        = string

  validation {
    condition     = contains(["prod", "stage"], var.environment)
    error_message = "The environment must be prod or stage."
  }
}

variable "region" {
  description = "Home region of the shop"
  type        = string
  default     = "eu-central-1"
}

variable "domain" {
  description = "Public domain of the shop, without a trailing dot"
  type        = string
}

# ---- network ----------------------------------------------------------------

variable "vpc_cidr" {
  type = string
}

variable "az_letters" {
  description = "Availability zones in use; never reorder, subnets are counted"
  type        = list(string)
  default     = ["a", "b", "c"]
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones (cheap) instead of one per zone"
  type        = bool
  default     = false
}

variable "office_cidrs" {
  type    = map(string)
  default = {}
}

# ---- services ---------------------------------------------------------------

# What differs between environments. Everything else about a service is in services.tf.
variable "service_overrides" {
  type = map(object({
    visibility_timeout = number
    alarm_threshold    = number
  }))
  default = {}
}

variable "search_enabled" {
  description = "Search costs more than all the rest of stage, so it is off there"
  type        = bool
  default     = true
}

variable "log_retention_days" {
  type    = number
  default = 30
}

variable "alarm_email" {
  description = "Where alarms go"
  type        = string
}

variable "payment_provider_token" {
  description = "First token of the payment provider; it is rotated in the parameter store, not here"
  type        = string
  sensitive   = true
  default     = "set-me-in-the-parameter-store"
}

variable "extra_tags" {
  type    = map(string)
  default = {}
}
