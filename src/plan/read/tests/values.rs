//! Backend arguments, contract settings and templates.

use super::faults;

#[test]
fn backends() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir = "x"
    backend "gcs" {
    }
  }
  environment "a/b" {
    backend = { profle = "x", secret_key = "hidden", endpoints = { sqs = "x" } }
    values  = { stack = "x", list = [], "a b" = "c" }
  }
  environment "a/c" {
    backend = "x"
    values  = "x"
  }
  defaults {
    backend "s3" {
      bukket     = "b"
      access_key = "hidden"
      http_proxy = "http://user:hidden@proxy"
      assume_role {
        role_arm = "x"
      }
      lock {
      }
    }
    backend "local" {
    }
    contract {
      store = "sssm"
    }
  }
  stack "a" {
    take = ["aws_x.a"]
    contract {
      store = "remote_state"
      path  = "/x"
      tier  = "advanced"
    }
  }
}
"#), @r#"
    error: the backend `gcs` is not supported
      --> plans/acme.hcl:4:13
      |
    4 |     backend "gcs" {
      |             ^^^^^
    hint: states are moved between `s3` and `local` backends

    error: no backend has an argument `profle`
      --> plans/acme.hcl:8:17
      |
    8 |     backend = { profle = "x", secret_key = "******", endpoints = { sqs = "x" } }
      |                 ^^^^^^
    hint: did you mean `profile`?

    error: `secret_key` is a credential and has no place in a plan file
      --> plans/acme.hcl:8:31
      |
    8 |     backend = { profle = "x", secret_key = "******", endpoints = { sqs = "x" } }
      |                               ^^^^^^^^^^
    hint: give `profile` or `assume_role`, or set the AWS environment variables when stackcut runs

    error: no backend has an argument `endpoints.sqs`
      --> plans/acme.hcl:8:68
      |
    8 |     backend = { profle = "x", secret_key = "******", endpoints = { sqs = "x" } }
      |                                                                    ^^^
    hint: did you mean `sts`?

    error: `stack` is given by stackcut and cannot be set
      --> plans/acme.hcl:9:17
      |
    9 |     values  = { stack = "x", list = [], "a b" = "c" }
      |                 ^^^^^
    hint: choose another name than `split`, `source`, `stack`, `layer`

    error: the value `list` must be a text
      --> plans/acme.hcl:9:37
      |
    9 |     values  = { stack = "x", list = [], "a b" = "c" }
      |                                     ^^
    hint: write it in double quotes, without `${ … }`

    error: `a b` cannot be the name of a value
      --> plans/acme.hcl:9:41
      |
    9 |     values  = { stack = "x", list = [], "a b" = "c" }
      |                                         ^^^^^
    hint: use letters, digits, `_` and `-`, so that a template can read it

    error: `backend` must be an object here
       --> plans/acme.hcl:12:15
       |
    12 |     backend = "x"
       |               ^^^
    hint: write `backend = { profile = "…" }`

    error: `values` must be an object
       --> plans/acme.hcl:13:15
       |
    13 |     values  = "x"
       |               ^^^
    hint: write `values = { tenant = "…" }`

    error: the `s3` backend has no argument `bukket`
       --> plans/acme.hcl:17:7
       |
    17 |       bukket     = "b"
       |       ^^^^^^
    hint: did you mean `bucket`?

    error: `access_key` is a credential and has no place in a plan file
       --> plans/acme.hcl:18:7
       |
    18 |       access_key = "******"
       |       ^^^^^^^^^^
    hint: give `profile` or `assume_role`, or set the AWS environment variables when stackcut runs

    error: `http_proxy` holds a user name and a password
       --> plans/acme.hcl:19:20
       |
    19 |       http_proxy = "http://*****************"
       |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: a plan file holds no credentials; set HTTPS_PROXY when stackcut runs

    error: the `s3` backend has no argument `assume_role.role_arm`
       --> plans/acme.hcl:21:9
       |
    21 |         role_arm = "x"
       |         ^^^^^^^^
    hint: did you mean `role_arn`?

    error: the `s3` backend has no argument `lock`
       --> plans/acme.hcl:23:7
       |
    23 |       lock {
       |       ^^^^
    hint: see Terraform's documentation of the backend for its arguments

    error: a second `backend` block
       --> plans/acme.hcl:26:5
       |
    26 |     backend "local" {
       |     ^^^^^^^
      = note: the first one is at plans/acme.hcl:16:5
    hint: keep one of them

    error: `sssm` is not a store
       --> plans/acme.hcl:29:15
       |
    29 |       store = "sssm"
       |               ^^^^^^
    hint: did you mean `ssm`?

    error: `path` means nothing to the store `remote_state`
       --> plans/acme.hcl:36:15
       |
    36 |       path  = "/x"
       |               ^^^^
    hint: remove it, or choose another `store`

    error: `tier` means nothing to the store `remote_state`
       --> plans/acme.hcl:37:15
       |
    37 |       tier  = "advanced"
       |               ^^^^^^^^^^
    hint: remove it, or choose another `store`
    "#);
}

#[test]
fn templates() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir       = "x"
    state     = "${stack}/${tenat}.tfstate"
    workspace = "${var.x}"
  }
  environment "a/b" {
    values  = { region = "x" }
    backend = { profile = "${regoin}" }
  }
  environment "a/c" {
  }
  defaults {
    backend "s3" {
      key = "${lowr(tenant)}/${region}/${stack}"
    }
  }
  stack "a" {
    take = ["aws_x.a"]
  }
}
"#), @r#"
    error: `stack` has no value here
      --> plans/acme.hcl:4:20
      |
    4 |     state     = "${stack}/${tenat}.tfstate"
      |                    ^^^^^
    hint: known here: `split`, `source`

    error: no value is named `tenat`
      --> plans/acme.hcl:4:29
      |
    4 |     state     = "${stack}/${tenat}.tfstate"
      |                             ^^^^^
    hint: did you mean `tenant`?

    error: only plain names can be read here
      --> plans/acme.hcl:5:20
      |
    5 |     workspace = "${var.x}"
      |                    ^^^^^
    hint: write `${tenant}` for a value of the environment; there is no `var`, `local` or `each` in a plan file

    error: no value is named `regoin`
      --> plans/acme.hcl:9:30
      |
    9 |     backend = { profile = "${regoin}" }
      |                              ^^^^^^
    hint: did you mean `region`?

    error: no function `lowr` in a plan file
       --> plans/acme.hcl:15:16
       |
    15 |       key = "${lowr(tenant)}/${region}/${stack}"
       |                ^^^^
    hint: did you mean `lower`?
    "#);
}

#[test]
fn template_without_environment() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir   = "x"
    state = "${tenant}.tfstate"
  }
  stack "a" {
    take = ["aws_x.a"]
  }
}
"#), @r#"
    error: no value is named `tenant`
      --> plans/acme.hcl:4:16
      |
    4 |     state = "${tenant}.tfstate"
      |                ^^^^^^
    hint: add an `environment` block whose `values` name it; known here: `source`, `split`
    "#);
}

#[test]
fn what_cannot_be_evaluated() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir = "x"
  }
  environment "a/b" {
    backend = { profile = replace(tenant, "/x/", "y"), assume_role = { role_arn = "${lower(tenant == "a")}" } }
  }
  stack "a" {
    take = ["aws_x.a"]
  }
}
"#), @r#"
    error: the template cannot be evaluated: error calling function `replace`: `replace` in a plan file takes plain text, not a regular expression
      --> plans/acme.hcl:6:27
      |
    6 |     backend = { profile = replace(tenant, "/x/", "y"), assume_role = { role_arn = "${lower(tenant == "a")}" } }
      |                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: correct the template

    error: the template cannot be evaluated: error calling function `lower`: expected argument at position 0 to be of type `string`, got `true`
      --> plans/acme.hcl:6:83
      |
    6 |     backend = { profile = replace(tenant, "/x/", "y"), assume_role = { role_arn = "${lower(tenant == "a")}" } }
      |                                                                                   ^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: correct the template
    "#);
}

#[test]
fn a_file_has_no_backend_arguments() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir            = "x"
    state          = "y"
    backend_config = ["z"]
  }
  stack "a" {
    take = ["aws_x.a"]
  }
}
"#), @r#"
    error: `backend_config` means nothing where `state` names a file
      --> plans/acme.hcl:5:23
      |
    5 |     backend_config = ["z"]
      |                       ^^^
      = note: `state` is at plans/acme.hcl:4:22
    hint: remove one of them
    "#);
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir            = "x"
    backend_config = "z"
  }
  stack "a" {
    take = ["aws_x.a"]
  }
}
"#), @r#"
    error: `backend_config` must be a list of texts
      --> plans/acme.hcl:4:22
      |
    4 |     backend_config = "z"
      |                      ^^^
    hint: write `backend_config = ["…"]`
    "#);
}

#[test]
fn a_file_has_no_workspace() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir       = "x"
    state     = "y"
    workspace = "z"
  }
  stack "a" {
    take = ["aws_x.a"]
  }
}
"#), @r#"
    error: `workspace` means nothing where `state` names a file
      --> plans/acme.hcl:5:17
      |
    5 |     workspace = "z"
      |                 ^^^
      = note: `state` is at plans/acme.hcl:4:17
    hint: remove one of them
    "#);
}
