variable "name" {
  type = string
}

variable "visibility_timeout" {
  type    = number
  default = 60
}

variable "max_receives" {
  type    = number
  default = 5
}

variable "kms_key_arn" {
  type    = string
  default = null
}

variable "topic_arns" {
  description = "Patterns of topics that may send to the queue"
  type        = list(string)
  default     = []
}

variable "alarm_topic_arn" {
  type = string
}

variable "alarm_threshold" {
  type    = number
  default = 100
}

variable "tags" {
  type    = map(string)
  default = {}
}
