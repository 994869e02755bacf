resource "aws_security_group" "internal" {
  name        = "${local.name}-internal"
  description = "Anything inside the VPC"
  vpc_id      = aws_vpc.main.id
  tags        = merge(local.tags_for["network"], { Name = "${local.name}-internal" })
}

resource "aws_security_group" "worker" {
  name        = "${local.name}-worker"
  description = "Queue workers: no way in"
  vpc_id      = aws_vpc.main.id
  tags        = merge(local.tags_for["network"], { Name = "${local.name}-worker" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group_rule" "internal_https" {
  type              = "ingress"
  description       = "HTTPS between the private subnets"
  security_group_id = aws_security_group.internal.id
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_blocks       = aws_subnet.private[*].cidr_block
}

# Keys are the names of the offices, which sometimes have a dot in them.
resource "aws_security_group_rule" "office" {
  for_each = var.office_cidrs

  type              = "ingress"
  description       = "Office ${each.key}"
  security_group_id = aws_security_group.internal.id
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_blocks       = [each.value]
}

resource "aws_security_group_rule" "worker_egress" {
  type              = "egress"
  security_group_id = aws_security_group.worker.id
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}
