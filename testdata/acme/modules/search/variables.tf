variable "name" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "client_cidrs" {
  type = list(string)
}

variable "topic_arn" {
  type = string
}

variable "tables" {
  description = "Tables to index, whole resources"
  type        = map(object({ name = string, arn = string }))
}

variable "kms_key_arn" {
  type = string
}

variable "alarm_topic_arn" {
  type = string
}

variable "tags" {
  type    = map(string)
  default = {}
}
