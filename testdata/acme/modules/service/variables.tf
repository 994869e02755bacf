variable "namespace" {
  type = string
}

variable "name" {
  type = string
}

variable "network" {
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    security_groups    = map(string)
  })
}

variable "platform" {
  type = object({
    kms_key_arn     = string
    alarm_topic_arn = string
    event_bus_name  = string
    permissions     = string
    log_retention   = number
  })
}

variable "settings" {
  type = object({
    visibility_timeout = number
    alarm_threshold    = number
  })
}

variable "table" {
  type = object({
    hash_key  = string
    range_key = string
  })
  default = null
}

variable "ports" {
  type    = list(number)
  default = []
}

variable "listens_to" {
  description = "Patterns of topics whose messages the queue takes"
  type        = list(string)
  default     = []
}

variable "reads_tables" {
  description = "Tables of others that the service may read: name => ARN"
  type        = map(string)
  default     = {}
}

variable "schedules" {
  description = "name => schedule expression"
  type        = map(string)
  default     = {}
}

variable "tags" {
  type    = map(string)
  default = {}
}
