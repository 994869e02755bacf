//! What the services' answers mean for a state.
//!
//! Only codes, status numbers and the services' own messages are kept: no header, no body, no credential.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::backend::BackendError;
use crate::backend::error::OUTDATED;

/// One call: what about, which one.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// `s3://bucket/key` or `dynamodb://table/LockID`.
    pub(super) at: String,
    /// The IAM action.
    pub(super) action: &'static str,
}

/// An answer that says no.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    /// The region that the bucket is in, where the answer says so.
    pub(super) region: Option<&'a str>,
}

/// Codes of requests that came too fast.
const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Codes of credentials that are not, or no longer, good for anything.
const CREDENTIALS: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// Codes of a bucket that is asked for in the wrong region.
const ELSEWHERE: &[&str] = &[
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
];

/// Returns the error code of an answer, if there was one.
pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    match error {
        SdkError::ServiceError(context) => context.err().code(),
        _ => None,
    }
}

/// Returns the HTTP status of an answer, if there was one.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Puts a failed call into our words.
pub(super) fn explain<E>(call: Call, error: &SdkError<E, HttpResponse>) -> BackendError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(problem) = credentials_problem(error) {
        return BackendError::Configuration {
            backend: "s3",
            reason: problem,
        };
    }
    let Call { at, action } = call;
    match error {
        SdkError::ConstructionFailure(_) => BackendError::Refused {
            at,
            action,
            detail: format!("the request could not be made: {}", reasons(error)),
        },
        SdkError::TimeoutError(_) => BackendError::Ambiguous {
            at,
            action,
            detail: "no answer in time".to_owned(),
        },
        SdkError::DispatchFailure(failure) => {
            let detail = reasons(error);
            if failure.is_user() {
                BackendError::Refused { at, action, detail }
            } else if detail.contains("(Connect)") || detail.contains("HTTP connect timeout") {
                BackendError::Network { at, action, detail }
            } else {
                BackendError::Ambiguous { at, action, detail }
            }
        }
        SdkError::ServiceError(context) => {
            let meta = context.err().meta();
            let headers = context.raw().headers();
            let answer = Answer {
                status: context.raw().status().as_u16(),
                code: meta.code().unwrap_or_default(),
                message: meta.message().unwrap_or_default(),
                region: headers.get("x-amz-bucket-region"),
            };
            answered(Call { at, action }, &answer)
        }
        _ => BackendError::Ambiguous {
            at,
            action,
            detail: reasons(error),
        },
    }
}

/// Puts an answer that says no into our words.
pub(super) fn answered(call: Call, answer: &Answer<'_>) -> BackendError {
    let Call { at, action } = call;
    let Answer { status, code, .. } = *answer;
    if matches!(code, "ConditionalCheckFailedException" | "PreconditionFailed") || status == 412 {
        return BackendError::PreconditionFailed { at };
    }
    if CREDENTIALS.contains(&code) {
        let detail = format!("{code}: {OUTDATED}");
        return BackendError::AccessDenied { at, action, detail };
    }
    if ELSEWHERE.contains(&code) || (status == 301 && code.is_empty()) {
        let region = answer.region.unwrap_or("another region");
        return BackendError::Configuration {
            backend: "s3",
            reason: format!("the bucket of {at} is in {region}; `region` says otherwise"),
        };
    }
    if THROTTLED.contains(&code) || status == 429 {
        return BackendError::Throttled { at, action };
    }
    match (status, code) {
        (_, "NoSuchBucket") => BackendError::NotFound {
            at: container(&at),
            action,
        },
        (_, "ResourceNotFoundException") => BackendError::NotFound {
            at: container(&at),
            action,
        },
        (409, "ConditionalRequestConflict" | "OperationAborted") => BackendError::Conflict { at },
        (_, "TransactionConflictException") => BackendError::Conflict { at },
        (401 | 403, _) | (_, "AccessDeniedException") => BackendError::AccessDenied {
            at,
            action,
            detail: denial(action, answer),
        },
        (404, _) => BackendError::NotFound { at, action },
        // 501 is a request that the store does not know: it did nothing.
        (500 | 502.., _) => BackendError::Ambiguous {
            at,
            action,
            detail: shown(answer),
        },
        _ => BackendError::Refused {
            at,
            action,
            detail: shown(answer),
        },
    }
}

/// Returns the code of a denial, and the permission it names where that is another one (a KMS key's, mostly).
fn denial(action: &str, answer: &Answer<'_>) -> String {
    let code = match answer.code {
        "" => "403",
        code => code,
    };
    let named = answer
        .message
        .split_once("not authorized to perform: ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .filter(|named| *named != action);
    match named {
        Some(named) => format!("{code}, {named} is missing"),
        None if action == "s3:GetObject" => {
            format!("{code}; without s3:ListBucket this is also the answer where there is no object")
        }
        None => code.to_owned(),
    }
}

fn shown(answer: &Answer<'_>) -> String {
    match (answer.code, answer.message) {
        ("", "") => format!("status {}", answer.status),
        ("", message) => format!("status {}: {message}", answer.status),
        (code, "") => code.to_owned(),
        (code, message) => format!("{code}: {message}"),
    }
}

/// Returns the bucket of an object, the table of an item.
fn container(at: &str) -> String {
    let scheme = at.find("://").map_or(0, |found| found + 3);
    match at[scheme..].find('/') {
        Some(slash) => at[..scheme + slash].to_owned(),
        None => at.to_owned(),
    }
}

/// Says what is wrong where there were no credentials to sign with.
fn credentials_problem(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(problem) = error.downcast_ref::<CredentialsError>() {
            return Some(match problem {
                CredentialsError::CredentialsNotLoaded(_) => {
                    "no credentials were found: not in the arguments, not in the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE), and there is no role of a container or an instance".to_owned()
                }
                CredentialsError::ProviderTimedOut(_) => "the credentials did not come in time".to_owned(),
                _ => format!("no credentials: {}", reasons(problem)),
            });
        }
        next = error.source();
    }
    None
}

/// Returns what an error and all its causes say, once each.
fn reasons(error: &dyn Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if parts.last().is_none_or(|last| !last.ends_with(&text)) {
            parts.push(text);
        }
        next = cause.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests;
