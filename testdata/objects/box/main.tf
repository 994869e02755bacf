variable "label" {
  type = string
}

variable "inside" {
  type = string
}

resource "terraform_data" "lid" {
  input = [var.label, var.inside]
}
