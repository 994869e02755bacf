# One bucket for all states of this account. The key is from the days when there
# was only one environment; stage overrides it with `-backend-config=stage.s3.tfbackend`.
terraform {
  backend "s3" {
    bucket         = "acme-terraform-states"
    key            = "acme/prod/acme.tfstate"
    region         = "eu-central-1"
    dynamodb_table = "acme-terraform-locks"
    encrypt        = true
  }
}
