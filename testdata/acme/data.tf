data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_partition" "current" {}

data "aws_region" "replica" {
  provider = aws.us_east_1
}
