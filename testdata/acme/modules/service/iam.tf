data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name                 = module.labels.id
  path                 = "/service/"
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = var.platform.permissions
  tags                 = module.labels.tags
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "Queue"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
    resources = [module.queue.arn]
  }

  statement {
    sid       = "Topic"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.events.arn]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.platform.kms_key_arn]
  }

  dynamic "statement" {
    for_each = module.table

    content {
      sid       = "Table"
      actions   = ["dynamodb:*Item", "dynamodb:Query"]
      resources = [statement.value.table.arn, "${statement.value.table.arn}/index/*"]
    }
  }

  dynamic "statement" {
    for_each = var.reads_tables

    content {
      sid       = "Reads${replace(title(statement.key), "/[^a-zA-Z0-9]/", "")}"
      actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "service"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}
