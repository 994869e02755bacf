provider "aws" {
  region = var.region
}

# CloudFront reads certificates from this region only, and the copies of the
# assets are kept here as well.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}
