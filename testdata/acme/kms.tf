resource "aws_kms_key" "main" {
  description             = "Data at rest of ${local.name}"
  deletion_window_in_days = 30
  enable_key_rotation     = true
  policy                  = data.aws_iam_policy_document.kms.json
  tags                    = local.tags_for["base"]
}

resource "aws_kms_alias" "main" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.main.key_id
}

data "aws_iam_policy_document" "kms" {
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account_id}:root"]
    }
  }

  # Topics and rules encrypt and decrypt on their own behalf.
  dynamic "statement" {
    for_each = { sns = "sns.amazonaws.com", events = "events.amazonaws.com" }
    iterator = service

    content {
      sid       = "Service${title(service.key)}"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = [service.value]
      }
    }
  }
}
