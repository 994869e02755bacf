//! One account of the emulated AWS: its credentials, and the few calls that tests make to prepare and to look.
//!
//! Plain HTTP with a signature that nobody checks, so that a call takes a millisecond and shares no code with the
//! backends under test. Every call panics with the emulator's answer when it fails: a test can do nothing about it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::http::{self, Answer};

/// Region that everything is in.
pub const REGION: &str = "eu-central-1";

/// An AWS account in the emulator. Tests with different accounts see nothing of each other, except that bucket
/// names are global, as on AWS.
#[derive(Debug, Clone)]
pub struct Account {
    address: SocketAddr,
    id: String,
}

/// An SSM parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    /// Value, decrypted.
    pub value: String,
}

impl Account {
    pub(super) fn new(address: SocketAddr, id: u64) -> Self {
        Self {
            address,
            id: format!("{id:012}"),
        }
    }

    /// Returns the twelve digits of the account; they are its access key as well.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the URL of the emulator.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address of the emulator.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the environment that makes an AWS client (Terraform's S3 backend, stackcut, boto3) work in this account.
    ///
    /// No setting for path-style buckets is needed: clients use it by themselves when the endpoint is an IP address.
    pub fn env(&self) -> Vec<(String, String)> {
        [
            ("AWS_ACCESS_KEY_ID", self.id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", "emulated"),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ENDPOINT_URL", &self.endpoint()),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            // The developer's own profiles must not mix in.
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Returns one line for each request that was made in this account so far, in order: service, operation (for a
    /// REST service: method and path as sent) and status, such as `dynamodb PutItem 400` or `s3 GET /bucket/key 200`.
    /// The calls of this type are among them.
    pub fn requests(&self) -> Vec<String> {
        let path = format!("/_requests/{}", self.id);
        let answer = http::request(self.address, "GET", &path, &[], b"").expect("the emulator answers");
        answer.text().lines().map(str::to_owned).collect()
    }

    /// Returns each request of this account so far as JSON: `service`, `operation` as in [`requests`](Self::requests),
    /// `headers` that say how something is to be done (names in lower case), and the `body` if it is JSON or a form.
    pub fn details(&self) -> Vec<Value> {
        let path = format!("/_details/{}", self.id);
        let answer = http::request(self.address, "GET", &path, &[], b"").expect("the emulator answers");
        let text = answer.text();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"));
        lines.collect()
    }

    // ---- S3

    /// Creates a bucket named `<prefix>-<number>` and returns its name.
    pub fn unique_bucket(&self, prefix: &str) -> String {
        static BUCKETS: AtomicU64 = AtomicU64::new(0);
        let bucket = format!("{prefix}-{}", BUCKETS.fetch_add(1, Ordering::Relaxed) + 1);
        self.create_bucket(&bucket);
        bucket
    }

    /// Creates a bucket.
    pub fn create_bucket(&self, bucket: &str) {
        let region = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        self.s3("PUT", bucket, "", "", region.as_bytes()).accept(&[200]);
    }

    /// Turns versioning on.
    pub fn enable_versioning(&self, bucket: &str) {
        let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        self.s3("PUT", bucket, "", "?versioning", on.as_bytes())
            .accept(&[200]);
    }

    /// Writes an object.
    pub fn put_object(&self, bucket: &str, key: &str, body: &[u8]) {
        self.s3("PUT", bucket, key, "", body).accept(&[200]);
    }

    /// Writes an object unless there is one already (`If-None-Match: *`), and says whether it did.
    pub fn put_object_if_absent(&self, bucket: &str, key: &str, body: &[u8]) -> bool {
        let path = format!("/{bucket}/{}", encode_key(key));
        self.call("s3", "PUT", &path, &[("If-None-Match", "*")], body)
            .accept(&[200, 412])
            .status
            == 200
    }

    /// Returns the bytes of an object, or `None` if there is none.
    pub fn get_object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let answer = self.s3("GET", bucket, key, "", b"").accept(&[200, 404]);
        (answer.status == 200).then_some(answer.body)
    }

    /// Deletes an object; it is fine if there is none.
    pub fn delete_object(&self, bucket: &str, key: &str) {
        self.s3("DELETE", bucket, key, "", b"").accept(&[204]);
    }

    /// Returns the keys of a bucket that begin with `prefix`, sorted.
    pub fn list_objects(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut token = String::new();
        loop {
            let query = format!("?list-type=2&prefix={}{token}", percent(prefix));
            let text = self.s3("GET", bucket, "", &query, b"").accept(&[200]).text();
            keys.extend(elements(&text, "Key"));
            match elements(&text, "NextContinuationToken").first() {
                Some(next) => token = format!("&continuation-token={}", percent(next)),
                None => break,
            }
        }
        keys.sort();
        keys
    }

    fn s3(&self, method: &str, bucket: &str, key: &str, query: &str, body: &[u8]) -> Call {
        let key = encode_key(key);
        let slash = if key.is_empty() { "" } else { "/" };
        self.call("s3", method, &format!("/{bucket}{slash}{key}{query}"), &[], body)
    }

    // ---- DynamoDB

    /// Creates a table as Terraform's S3 backend wants it: the string `LockID` is the key.
    pub fn create_lock_table(&self, table: &str) {
        self.dynamodb(
            "CreateTable",
            &json!({
                "TableName": table,
                "KeySchema": [{ "AttributeName": "LockID", "KeyType": "HASH" }],
                "AttributeDefinitions": [{ "AttributeName": "LockID", "AttributeType": "S" }],
                "BillingMode": "PAY_PER_REQUEST",
            }),
        );
    }

    /// Writes an item of string attributes; `LockID` must be among them.
    pub fn put_item(&self, table: &str, attributes: &[(&str, &str)]) {
        let item: serde_json::Map<String, Value> = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!({ "S": value })))
            .collect();
        self.dynamodb("PutItem", &json!({ "TableName": table, "Item": item }));
    }

    /// Returns the string attributes of an item, or `None` if there is none.
    pub fn get_item(&self, table: &str, lock_id: &str) -> Option<BTreeMap<String, String>> {
        let key = json!({ "LockID": { "S": lock_id } });
        let answer = self.dynamodb(
            "GetItem",
            &json!({ "TableName": table, "Key": key, "ConsistentRead": true }),
        );
        answer.get("Item").map(strings)
    }

    /// Deletes an item; it is fine if there is none.
    pub fn delete_item(&self, table: &str, lock_id: &str) {
        let key = json!({ "LockID": { "S": lock_id } });
        self.dynamodb("DeleteItem", &json!({ "TableName": table, "Key": key }));
    }

    /// Returns every item of a small table, sorted by `LockID`.
    pub fn list_items(&self, table: &str) -> Vec<BTreeMap<String, String>> {
        let answer = self.dynamodb("Scan", &json!({ "TableName": table }));
        assert!(
            answer.get("LastEvaluatedKey").is_none(),
            "table {table} is larger than one page"
        );
        let mut items: Vec<_> = answer["Items"]
            .as_array()
            .expect("a scan lists items")
            .iter()
            .map(strings)
            .collect();
        items.sort_by(|a, b| a.get("LockID").cmp(&b.get("LockID")));
        items
    }

    fn dynamodb(&self, operation: &str, body: &Value) -> Value {
        self.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), body)
            .accept(&[200])
            .json()
    }

    // ---- SSM

    /// Writes an SSM parameter of type `String`, over an old one if there is one.
    pub fn put_parameter(&self, name: &str, value: &str) {
        let body = json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
        self.json("ssm", "AmazonSSM.PutParameter", &body).accept(&[200]);
    }

    /// Returns an SSM parameter, or `None` if there is none.
    pub fn get_parameter(&self, name: &str) -> Option<Parameter> {
        let body = json!({ "Name": name, "WithDecryption": true });
        let answer = self
            .json("ssm", "AmazonSSM.GetParameter", &body)
            .accept(&[200, 400]);
        if answer.status == 400 {
            assert!(
                answer.text().contains("ParameterNotFound"),
                "ssm: {}",
                answer.text()
            );
            return None;
        }
        let answer = answer.json();
        let text = |field: &str| answer["Parameter"][field].as_str().expect("a string").to_owned();
        Some(Parameter {
            kind: text("Type"),
            value: text("Value"),
        })
    }

    // ---- Any service

    /// Calls an operation of a service with a JSON protocol, such as `("sqs", "AmazonSQS.ListQueues")`.
    pub fn json(&self, service: &str, target: &str, body: &Value) -> Call {
        let headers = [
            ("X-Amz-Target", target),
            ("Content-Type", "application/x-amz-json-1.0"),
        ];
        self.call(service, "POST", "/", &headers, body.to_string().as_bytes())
    }

    fn call(&self, service: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Call {
        let signature = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0",
            self.id
        );
        let mut all = vec![
            ("Authorization", signature.as_str()),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ];
        all.extend_from_slice(headers);
        let what = format!("{service} {method} {path}");
        let answer = http::request(self.address, method, path, &all, body)
            .unwrap_or_else(|error| panic!("{what}: the emulator did not answer: {error}"));
        Call { what, answer }
    }
}

/// An answered call, whose status is still to be judged.
#[derive(Debug)]
#[must_use]
pub struct Call {
    what: String,
    answer: Answer,
}

impl Call {
    /// Returns the answer if it has one of these status codes, and panics otherwise.
    pub fn accept(self, codes: &[u16]) -> Answer {
        let Answer { status, .. } = self.answer;
        assert!(
            codes.contains(&status),
            "{}: {status} {}",
            self.what,
            self.answer.text()
        );
        self.answer
    }
}

impl Answer {
    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

fn strings(item: &Value) -> BTreeMap<String, String> {
    let attributes = item.as_object().expect("an item is an object");
    let text = |value: &Value| {
        value["S"]
            .as_str()
            .expect("only string attributes are in use")
            .to_owned()
    };
    attributes
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn encode_key(key: &str) -> String {
    key.split('/').map(percent).collect::<Vec<_>>().join("/")
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The texts of all elements of this name in an XML answer.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split(&close).next())
        .map(|text| {
            [
                ("&lt;", "<"),
                ("&gt;", ">"),
                ("&quot;", "\""),
                ("&#34;", "\""),
                ("&#39;", "'"),
                ("&apos;", "'"),
                ("&amp;", "&"),
            ]
            .iter()
            .fold(text.to_owned(), |text, (entity, character)| {
                text.replace(entity, character)
            })
        })
        .collect()
}
