//! What each answer means, by table.

use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::error::ErrorMetadata;

use super::*;

fn call() -> Call {
    Call {
        at: "s3://b/a/k".to_owned(),
        action: "s3:PutObject",
    }
}

fn kind(error: &BackendError) -> String {
    let text = format!("{error:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}

#[test]
fn answers() {
    let table: &[(u16, &str, &str)] = &[
        (412, "PreconditionFailed", "PreconditionFailed"),
        (412, "", "PreconditionFailed"),
        (400, "ConditionalCheckFailedException", "PreconditionFailed"),
        (409, "ConditionalRequestConflict", "Conflict"),
        (409, "OperationAborted", "Conflict"),
        (400, "TransactionConflictException", "Conflict"),
        (403, "AccessDenied", "AccessDenied"),
        (403, "", "AccessDenied"),
        (400, "AccessDeniedException", "AccessDenied"),
        (400, "ExpiredToken", "AccessDenied"),
        (400, "ExpiredTokenException", "AccessDenied"),
        (403, "InvalidAccessKeyId", "AccessDenied"),
        (400, "UnrecognizedClientException", "AccessDenied"),
        (404, "NoSuchBucket", "NotFound"),
        (400, "ResourceNotFoundException", "NotFound"),
        (404, "", "NotFound"),
        (503, "SlowDown", "Throttled"),
        (503, "ServiceUnavailable", "Throttled"),
        (400, "ProvisionedThroughputExceededException", "Throttled"),
        (400, "ThrottlingException", "Throttled"),
        (400, "RequestLimitExceeded", "Throttled"),
        (429, "", "Throttled"),
        (500, "InternalError", "Ambiguous"),
        (503, "", "Ambiguous"),
        (504, "", "Ambiguous"),
        (301, "PermanentRedirect", "Configuration"),
        (400, "AuthorizationHeaderMalformed", "Configuration"),
        (501, "NotImplemented", "Refused"),
        (400, "EntityTooLarge", "Refused"),
    ];
    for (status, code, expected) in table {
        let answer = Answer {
            status: *status,
            code,
            ..Answer::default()
        };
        assert_eq!(kind(&answered(call(), &answer)), *expected, "{status} {code}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let missing = |at: &str, code| {
        let call = Call {
            at: at.to_owned(),
            ..call()
        };
        let answer = Answer {
            status: 404,
            code,
            ..Answer::default()
        };
        answered(call, &answer).to_string()
    };
    assert_eq!(
        missing("s3://b/a/k", "NoSuchBucket"),
        "s3://b does not exist (s3:PutObject)"
    );
    assert_eq!(
        missing("dynamodb://t/b/a/k", "ResourceNotFoundException"),
        "dynamodb://t does not exist (s3:PutObject)"
    );
}

#[test]
fn denials_name_the_permission() {
    let denied = |action, message| {
        let call = Call { action, ..call() };
        let answer = Answer {
            status: 403,
            code: "AccessDenied",
            message,
            region: None,
        };
        answered(call, &answer).to_string()
    };
    assert_eq!(
        denied("s3:PutObject", "Access Denied"),
        "access to s3://b/a/k was denied (s3:PutObject: AccessDenied)"
    );
    assert_eq!(
        denied(
            "s3:PutObject",
            "User: arn:aws:iam::1:user/u is not authorized to perform: kms:GenerateDataKey on this resource"
        ),
        "access to s3://b/a/k was denied (s3:PutObject: AccessDenied, kms:GenerateDataKey is missing)"
    );
    assert!(denied("s3:GetObject", "Access Denied").contains("without s3:ListBucket"));
}

#[test]
fn a_bucket_elsewhere_is_said_to_be_there() {
    let answer = Answer {
        status: 301,
        code: "PermanentRedirect",
        region: Some("eu-west-3"),
        ..Answer::default()
    };
    let text = answered(call(), &answer).to_string();
    assert!(
        text.contains("the bucket of s3://b/a/k is in eu-west-3"),
        "{text}"
    );
}

type Failed = SdkError<PutObjectError, HttpResponse>;

/// An error of the connection that says what hyper says.
fn broken(text: &'static str) -> Box<dyn Error + Send + Sync> {
    Box::<dyn Error + Send + Sync>::from(text)
}

#[test]
fn calls_without_an_answer() {
    let table: [(Failed, &str); 8] = [
        (
            SdkError::dispatch_failure(ConnectorError::io(broken("client error (Connect)"))),
            "Network",
        ),
        (
            SdkError::dispatch_failure(ConnectorError::timeout(broken(
                "HTTP connect timeout occurred after 10s",
            ))),
            "Network",
        ),
        (
            SdkError::dispatch_failure(ConnectorError::timeout(broken("HTTP read timeout"))),
            "Ambiguous",
        ),
        (
            SdkError::dispatch_failure(ConnectorError::io(broken("connection reset by peer"))),
            "Ambiguous",
        ),
        (
            SdkError::dispatch_failure(ConnectorError::user(broken("invalid URI"))),
            "Refused",
        ),
        (
            SdkError::timeout_error(broken("operation attempt timeout")),
            "Ambiguous",
        ),
        (SdkError::construction_failure(broken("no bucket")), "Refused"),
        (
            SdkError::dispatch_failure(ConnectorError::other(
                Box::new(CredentialsError::not_loaded("nothing")),
                None,
            )),
            "Configuration",
        ),
    ];
    for (error, expected) in table {
        assert_eq!(kind(&explain(call(), &error)), expected, "{error:?}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_ambiguous() {
    let raw = HttpResponse::new(
        200.try_into().unwrap(),
        aws_smithy_types::body::SdkBody::from("hunter2"),
    );
    let error: Failed = SdkError::response_error(broken("unexpected end"), raw);
    let found = explain(call(), &error);
    assert_eq!(kind(&found), "Ambiguous");
    assert!(!format!("{found} {found:?}").contains("hunter2"));
}

#[test]
fn bodies_are_not_quoted() {
    let raw = HttpResponse::new(
        400.try_into().unwrap(),
        aws_smithy_types::body::SdkBody::from("<Error><Secret>hunter2</Secret></Error>"),
    );
    let meta = ErrorMetadata::builder()
        .code("InvalidRequest")
        .message("no")
        .build();
    let error: Failed = SdkError::service_error(PutObjectError::generic(meta), raw);
    let found = explain(call(), &error);
    assert_eq!(
        found.to_string(),
        "s3:PutObject of s3://b/a/k failed: InvalidRequest: no"
    );
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn what_helps_against_a_denial() {
    let helps = |status, code| {
        let answer = Answer {
            status,
            code,
            ..Answer::default()
        };
        answered(call(), &answer).permits()
    };
    assert_eq!(
        helps(400, "ExpiredToken").unwrap(),
        "renew the credentials in use, or choose others (AWS_PROFILE)"
    );
    assert_eq!(
        helps(403, "AccessDenied").unwrap(),
        "grant s3:PutObject to the credentials in use, or choose others (AWS_PROFILE)"
    );
    assert_eq!(helps(404, "NoSuchBucket"), None);
}
