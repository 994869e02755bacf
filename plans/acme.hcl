# Cuts the acme monolith into a network, a platform and its services.
#
#   stackcut split testdata/acme --plan plans/acme.hcl --out target/acme
#
# What no stack takes stays in the monolith: the dashboard in the hall and the nightly export, which nobody wants to own.
# plans/README.md lists what crosses each cut.

split "acme" {
  source {
    dir = "../testdata/acme"
  }

  environment "prod" {
    class     = "prod"
    values    = { environment = "prod", region = "eu-central-1" }
    var_files = ["prod.tfvars"]
  }

  defaults {
    backend "s3" {
      key = "acme/${environment}/stacks/${stack}.tfstate"
    }

    contract {
      store = "ssm"
      path  = "/configuration"
    }
  }

  stack "network" {
    layer = "network"
    take = [
      "aws_vpc.main",
      "aws_internet_gateway.*",
      "aws_subnet.*",
      "aws_eip.nat",
      "aws_nat_gateway.*",
      "aws_route_table.*",
      "aws_route_table_association.*",
      "aws_route.*",
      "aws_security_group.internal",
      "aws_security_group.worker",
      "aws_security_group_rule.*",
      "module.endpoints",
    ]
  }

  # Who may do what, and where alarms go. Nothing here holds data.
  stack "base" {
    layer = "cluster"
    take = [
      "aws_kms_*.main",
      "aws_iam_policy.*",
      "aws_iam_role.task_execution",
      "aws_iam_role.events",
      "aws_iam_role.deploy",
      "aws_iam_role_policy_attachment.task_execution",
      "aws_ecs_cluster.main",
      "aws_cloudwatch_event_bus.shop",
      "aws_sns_topic.alarms",
      "aws_sns_topic_subscription.alarms",
      "aws_cloudwatch_log_group.platform",
      "aws_cloudwatch_log_metric_filter.ingress",
      "aws_cloudwatch_metric_alarm.ingress_errors",
      "aws_route53_zone.*",
    ]
  }

  # Data that no service owns alone. The permission to deploy is here because it names the bucket of artifacts.
  stack "data" {
    layer = "cluster"
    take = [
      "module.bucket[\"*\"]",
      "module.assets_replica",
      "module.sessions.**",
      "aws_s3_bucket_policy.assets",
      "aws_s3_bucket_object.*",
      "aws_iam_role_policy.deploy_artifacts",
      "aws_ssm_parameter.shared",
    ]
  }

  stack "catalog" {
    layer = "service"
    take = [
      "aws_dynamodb_table.products",
      "aws_dynamodb_table.prices",
      "aws_sns_topic.catalog_changes",
      "aws_sqs_queue.catalog_*",
      "aws_cloudwatch_metric_alarm.catalog_import",
      "aws_iam_role.catalog",
      "aws_iam_role_policy.catalog",
      "aws_security_group.catalog",
      "aws_cloudwatch_log_group.catalog",
    ]
  }

  stack "search" {
    layer = "service"
    take = [
      "module.search[0]",
      "aws_ssm_parameter.search_queues",
    ]

    # A stack of its own is enough of a switch.
    move {
      from = "module.search[0]"
      to   = "module.search"
    }
  }

  stack "orders" {
    layer = "service"
    take = [
      "module.service[\"orders\"]",
      "aws_sqs_queue.orders_*",
      "aws_iam_role_policy.orders_export",
      "aws_sns_topic_subscription.orders_catalog",
      "aws_cloudwatch_event_*.orders_placed",
      "aws_ssm_parameter.queue_url[\"orders\"]",
    ]

    move {
      from = "module.service[\"orders\"]"
      to   = "module.service"
    }
  }

  stack "payments" {
    layer = "service"
    take = [
      "module.service[\"payments\"]",
      "aws_ssm_parameter.payment_provider_token",
      "aws_ssm_parameter.queue_url[\"payments\"]",
      "aws_iam_role_policy.payments_token",
      "aws_sns_topic_subscription.payments_orders",
      "aws_cloudwatch_metric_alarm.payments_failed",
    ]

    move {
      from = "aws_ssm_parameter.queue_url[\"payments\"]"
      to   = "aws_ssm_parameter.queue_url"
    }
  }

  stack "shipping" {
    layer = "service"
    take = [
      "module.service[\"shipping\"]",
      "aws_sns_topic_subscription.shipping_payments",
      "aws_iam_role_policy.shipping_orders",
      "aws_sqs_queue.carrier[\"*\"]",
      "aws_ssm_parameter.carriers",
    ]
  }

  stack "notifications" {
    layer = "service"
    take = [
      "module.service[\"notifications\"]",
      "aws_sns_topic_subscription.notifications",
      "aws_dynamodb_table.snippets",
      "aws_dynamodb_table_item.snippet",
      "aws_ssm_parameter.mail_template",
    ]
  }

  stack "returns" {
    layer = "service"
    take = [
      "module.service[\"returns\"]",
      "aws_sns_topic_subscription.returns_shipping",
    ]
  }
}
