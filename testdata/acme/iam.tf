# ------------------------------------------------------------------------------
# Roles that all services share. Roles of one service are in modules/service.
# ------------------------------------------------------------------------------

data "aws_iam_policy_document" "assume" {
  for_each = {
    tasks  = "ecs-tasks.amazonaws.com"
    events = "events.amazonaws.com"
  }

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }
  }
}

resource "aws_iam_role" "task_execution" {
  name               = "${local.name}-task-execution"
  assume_role_policy = data.aws_iam_policy_document.assume["tasks"].json
  tags               = local.tags_for["base"]
}

# Name of a policy => the policy. Names of versions have a dot in them.
resource "aws_iam_role_policy_attachment" "task_execution" {
  for_each = {
    (aws_iam_policy.xray.name) = aws_iam_policy.xray
    (aws_iam_policy.pull.name) = aws_iam_policy.pull
  }

  role       = aws_iam_role.task_execution.name
  policy_arn = each.value.arn
}

resource "aws_iam_policy" "pull" {
  name   = "${local.name}-pull"
  policy = data.aws_iam_policy_document.pull.json
}

data "aws_iam_policy_document" "pull" {
  statement {
    actions   = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = ["*"]
  }

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for group in aws_cloudwatch_log_group.platform : "${group.arn}:*"]
  }
}

resource "aws_iam_policy" "xray" {
  name = "${local.name}-xray.v2"

  policy = <<-EOF
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
          "Resource": "*"
        }
      ]
    }
  EOF
}

# No role of a service may do more than this.
resource "aws_iam_policy" "workload_boundary" {
  name        = "${local.name}-workload-boundary"
  description = "Upper bound of what a service may do"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Data"
        Effect   = "Allow"
        Action   = ["sqs:*", "sns:Publish", "dynamodb:*", "events:PutEvents", "logs:*", "ssm:GetParameter*"]
        Resource = "*"
        Condition = {
          StringEquals = {
            "aws:ResourceAccount" = local.account_id
            "aws:SourceVpc"       = local.network.vpc_id
          }
        }
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [aws_kms_key.main.arn]
      },
    ]
  })
}

resource "aws_iam_role" "events" {
  name                 = "${local.name}-events"
  assume_role_policy   = data.aws_iam_policy_document.assume["events"].json
  permissions_boundary = aws_iam_policy.workload_boundary.arn
  tags                 = local.tags_for["base"]
}

# Deployments come from an office or from the build system, which stands behind our own NAT gateways.
locals {
  deploy_cidrs = concat(values(var.office_cidrs), formatlist("%s/32", aws_eip.nat[*].public_ip))
}

resource "aws_iam_role" "deploy" {
  name                 = "${local.name}-deploy"
  max_session_duration = 7200

  assume_role_policy = <<EOF
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "sts:AssumeRole",
      "Principal": { "AWS": "arn:aws:iam::${local.account_id}:root" },
      "Condition": {
        "IpAddress": { "aws:SourceIp": [%{for i, cidr in local.deploy_cidrs}%{if i > 0}, %{endif}"${cidr}"%{endfor}] }
      }
    }
  ]
}
EOF

  tags = local.tags_for["base"]
}

resource "aws_iam_role_policy" "deploy_artifacts" {
  name = "artifacts"
  role = aws_iam_role.deploy.id

  policy = <<-EOF
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Action": ["s3:GetObject", "s3:PutObject"],
          "Resource": "${module.bucket["artifacts"].arn}/*"
        },
        {
          "Effect": "Allow",
          "Action": "ecs:UpdateService",
          "Resource": "${aws_ecs_cluster.main.arn}"
        }
      ]
    }
  EOF
}
