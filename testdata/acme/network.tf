# ------------------------------------------------------------------------------
# Network: one VPC, three tiers of subnets, counted by availability zone
# ------------------------------------------------------------------------------

resource "aws_vpc" "main" {
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = merge(local.tags_for["network"], { Name = local.name })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
  tags   = merge(local.tags_for["network"], { Name = local.name })
}

/* Public tier: load balancers and NAT gateways only. */
resource "aws_subnet" "public" {
  count = length(local.azs)

  vpc_id                  = aws_vpc.main.id
  availability_zone       = local.azs[count.index]
  cidr_block              = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  map_public_ip_on_launch = true

  tags = merge(local.tags_for["network"], {
    Name = "${local.name}-public-${var.az_letters[count.index]}"
    Tier = "public"
  })
}

# Was `aws_subnet.app` until the data tier came.
moved {
  from = aws_subnet.app
  to   = aws_subnet.private
}

resource "aws_subnet" "private" {
  count = length(local.azs)

  vpc_id            = aws_vpc.main.id
  availability_zone = local.azs[count.index]
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, count.index + 1)

  tags = merge(local.tags_for["network"], {
    Name = format("%s-private-%s", local.name, var.az_letters[count.index])
    Tier = "private"
  })
}

resource "aws_subnet" "data" {
  count = length(local.azs)

  vpc_id            = aws_vpc.main.id
  availability_zone = local.azs[count.index]
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, 100 + count.index)

  tags = merge(local.tags_for["network"], {
    Name = "${local.name}-data-${var.az_letters[count.index]}"
    Tier = "data"
  })
}

# NAT -------------------------------------------------------------------------

locals {
  nat_count = var.single_nat_gateway ? 1 : length(local.azs)
}

resource "aws_eip" "nat" {
  count = local.nat_count

  vpc  = true
  tags = merge(local.tags_for["network"], { Name = "${local.name}-nat-${count.index}" })

  depends_on = [aws_internet_gateway.main]
}

resource "aws_nat_gateway" "main" {
  count = local.nat_count

  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = element(aws_subnet.public[*].id, count.index)
  tags          = merge(local.tags_for["network"], { Name = "${local.name}-${count.index}" })

  depends_on = [aws_internet_gateway.main]
}

# Routes ----------------------------------------------------------------------

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  tags   = merge(local.tags_for["network"], { Name = "${local.name}-public" })
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table" "private" {
  count = length(local.azs)

  vpc_id = aws_vpc.main.id
  tags   = merge(local.tags_for["network"], { Name = "${local.name}-private-${count.index}" })
}

resource "aws_route" "nat" {
  count = length(aws_route_table.private)

  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[var.single_nat_gateway ? 0 : count.index].id
}

resource "aws_route_table" "data" {
  vpc_id = aws_vpc.main.id
  tags   = merge(local.tags_for["network"], { Name = "${local.name}-data" })
}

resource "aws_route_table_association" "public" {
  count = length(aws_subnet.public)

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  count = length(aws_subnet.private)

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

resource "aws_route_table_association" "data" {
  count = length(aws_subnet.data)

  subnet_id      = aws_subnet.data[count.index].id
  route_table_id = aws_route_table.data.id
}

# Traffic to S3 and DynamoDB does not have to pay for the NAT gateways.
module "endpoints" {
  source = "./modules/endpoints"

  vpc_id = aws_vpc.main.id
  region = var.region
  route_table_ids = concat(
    [aws_route_table.data.id],
    aws_route_table.private[*].id,
  )
  services = ["s3", "dynamodb"]
  tags     = local.tags_for["network"]
}
