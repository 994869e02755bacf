//! Providers and provider configurations, as Terraform 1.11.4 reads and prints them.

use super::*;

#[test]
fn providers_like_terraform() {
    let table = [
        (
            r#"provider["aws"]"#,
            r#"provider["registry.terraform.io/hashicorp/aws"]"#,
        ),
        (
            r#"provider["terraform"]"#,
            r#"provider["registry.terraform.io/hashicorp/terraform"]"#,
        ),
        (
            r#"provider["builtin/terraform"]"#,
            r#"provider["registry.terraform.io/builtin/terraform"]"#,
        ),
        (
            r#"provider["Example.COM/Foo/AWS"]"#,
            r#"provider["example.com/foo/aws"]"#,
        ),
        (
            r#"provider["example.com:8443/a/b"]"#,
            r#"provider["example.com:8443/a/b"]"#,
        ),
        (
            r#"provider["example.com:443/a/b"]"#,
            r#"provider["example.com/a/b"]"#,
        ),
        (r#"provider["a.com:0443/a/b"]"#, r#"provider["a.com/a/b"]"#),
        (r#"provider["a.com./a/b"]"#, r#"provider["a.com./a/b"]"#),
        (
            r#"provider["localhost:80/a/b"]"#,
            r#"provider["localhost:80/a/b"]"#,
        ),
        (r#"provider["1.2.3.4/a/b"]"#, r#"provider["1.2.3.4/a/b"]"#),
        (
            r#"provider["1x/2y"]"#,
            r#"provider["registry.terraform.io/1x/2y"]"#,
        ),
        (
            r#"provider["Ünï/foo"]"#,
            r#"provider["registry.terraform.io/ünï/foo"]"#,
        ),
        (
            r#"provider["-/aws"]"#,
            r#"provider["registry.terraform.io/-/aws"]"#,
        ),
        ("provider.aws", r#"provider["registry.terraform.io/-/aws"]"#),
        ("provider.aws.eu", r#"provider["registry.terraform.io/-/aws"].eu"#),
        (
            "provider.terraform",
            r#"provider["terraform.io/builtin/terraform"]"#,
        ),
        (
            "provider.terraform.x",
            r#"provider["terraform.io/builtin/terraform"].x"#,
        ),
        (
            "module.m.provider.aws",
            r#"module.m.provider["registry.terraform.io/-/aws"]"#,
        ),
        (
            r#"module.m.module.n.provider["aws"].eu"#,
            r#"module.m.module.n.provider["registry.terraform.io/hashicorp/aws"].eu"#,
        ),
        (
            r#" provider [ "aws" ] . eu"#,
            r#"provider["registry.terraform.io/hashicorp/aws"].eu"#,
        ),
        // OpenTofu 1.9 and later.
        (
            r#"provider["registry.opentofu.org/hashicorp/aws"].by["eu"]"#,
            r#"provider["registry.opentofu.org/hashicorp/aws"].by["eu"]"#,
        ),
        (
            r#"module.m.provider["a.b/c/d"].by[0]"#,
            r#"module.m.provider["a.b/c/d"].by[0]"#,
        ),
    ];
    for (text, printed) in table {
        reads::<ProviderConfigAddr>(text, printed);
    }
    // Terraform keeps the case of a legacy name.
    let upper: ProviderConfigAddr = "provider.AWS".parse().expect("legacy");
    assert_eq!(upper.to_string(), r#"provider["registry.terraform.io/-/AWS"]"#);
}

#[test]
fn provider_texts_that_lose_a_resource_in_terraform_are_errors() {
    let table = [
        (r#"provider["x/foo_bar"]"#, 12, "'_'"),
        (r#"provider["x/foo--bar"]"#, 12, "dashes"),
        (r#"provider["x/-foo"]"#, 12, "dashes"),
        (r#"provider["xn--nxasmq6b/foo"]"#, 10, "dashes"),
        (r#"provider["x/terraform-provider-foo"]"#, 12, "write `foo`"),
        (r#"provider["terraform-provider-foo"]"#, 10, "write `foo`"),
        (r#"provider["a.b/foo"]"#, 10, "'.'"),
        (r#"provider["a/b/c/d"]"#, 16, "three parts"),
        (r#"provider["/b"]"#, 10, "empty"),
        (r#"provider[""]"#, 10, "empty"),
        (r#"provider["exa_mple.com/a/b"]"#, 10, "host name"),
        (r#"provider["a..com/a/b"]"#, 10, "host name"),
        (r#"provider["-a.com/a/b"]"#, 10, "host name"),
        (r#"provider["a.com:/a/b"]"#, 10, "not a port"),
        (r#"provider["a.com:99999/a/b"]"#, 10, "not a port"),
        (r#"provider["example.com/-/aws"]"#, 22, "dashes"),
        (r#"module.m[0].provider["aws"]"#, 8, "write `module.m` alone"),
        ("module.m[0].provider.aws", 8, "write `module.m` alone"),
        (r#"provider["aws"].a.b"#, 17, "ends with"),
        (r#"provider.aws["x"]"#, 12, "one instance key"),
        ("provider[0]", 8, "named by a string"),
        ("provider", 0, "expected `provider[\"host"),
        ("aws", 0, "expected `provider`"),
        ("", 0, "expected a name"),
        (r#"foo.provider["aws"]"#, 0, "expected `provider`"),
        (r#"module.provider["aws"]"#, 15, "write `module.provider` alone"),
        (r#"provider["hashicorp/aws"].-x"#, 26, "expected a name"),
    ];
    for (text, offset, reason) in table {
        refuses::<ProviderConfigAddr>(text, offset, reason);
    }
    refuses::<ProviderAddr>("é/x/é_", 5, "'_'");
}

#[test]
fn provider_words() {
    let aws: ProviderAddr = "hashicorp/aws".parse().expect("short form");
    assert_eq!(ProviderAddr::default_for("aws", TERRAFORM_HOST), aws);
    assert_eq!(
        ProviderAddr::default_for("terraform", OPENTOFU_HOST),
        ProviderAddr::builtin()
    );
    let tofu: ProviderAddr = "registry.opentofu.org/hashicorp/aws".parse().expect("full form");
    let private: ProviderAddr = "example.com/hashicorp/aws".parse().expect("full form");
    assert!(aws.is_same(&tofu) && private.is_same(&private));
    assert!(!aws.is_same(&private) && !aws.is_same(&ProviderAddr::default_for("awscc", TERRAFORM_HOST)));
    assert!(ProviderAddr::builtin().is_builtin() && !aws.is_builtin());
    let legacy: ProviderAddr = "-/aws".parse().expect("legacy");
    assert_eq!(legacy.namespace, "-");
    let config = ProviderConfigAddr::root_default(aws);
    assert_eq!(
        config.to_string(),
        r#"provider["registry.terraform.io/hashicorp/aws"]"#
    );
}
