"""Serves the emulated AWS (moto) on 127.0.0.1 for the integration tests.

    venv/bin/python moto_server.py [--port PORT] [--until-eof] [--tls DIR] [--latency WRITE,READ,ITEM]

Prints `listening on PORT` once it answers; without --port the system picks a free one. With --until-eof it lives
exactly as long as its standard input is open, so that it never outlives a test process, however that one ends. With
--tls it speaks TLS, and puts the certificate to trust into DIR/ca.pem. With --latency every request waits so many
milliseconds before it gets its turn, as on a long way: those that write objects, those that read or list them, and those
to DynamoDB.

What it adds to moto's own server:

* An access key of twelve digits is the account: `AWS_ACCESS_KEY_ID=111122223333` works in account 111122223333.
  (Bucket names are shared by all accounts, as on AWS.)
* Requests are handled one at a time. Moto checks a condition and writes in two steps; AWS does both at once, and locks
  are built on that.
* An SQS redrive policy is given back without spaces, as Terraform writes it and AWS keeps it; otherwise every queue with
  a dead-letter queue would plan as changed.
* `GET /_requests/ACCOUNT` answers with one line for each request of that account so far: `s3 PUT /bucket/key 200`,
  `dynamodb PutItem 400`. `GET /_details/ACCOUNT` answers with the same as JSON, one object a line, with the headers
  that mean something and, where it is JSON or a form, the body.
* A transaction on items reads up to a hundred, as on AWS (moto stopped at the 25 of long ago), and its way back is one
  copy of the table, not one for each item.
* An answer's head and body leave in one piece. In two, now and then a client closed the connection between them, took
  the answer for lost, repeated the request, and found its own first lock in its way.
* HTTP/1.1, so that large uploads with `Expect: 100-continue` do not wait for an answer that never comes.
"""

import argparse
import collections
import copy
import datetime
import io
import ipaddress
import json
import logging
import os
import re
import signal
import sys
import threading
import time
import urllib.parse

import moto.backends
from moto.dynamodb import models, responses
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs.models import Queue
from werkzeug.serving import make_server

CREDENTIAL = re.compile(r"Credential=(\d{12})/\d+/[\w-]+/([\w-]+)/")
REQUESTS = "/_requests/"
DETAILS = "/_details/"
# Headers that say how something is to be done; not who asks, when, and with which signature.
MEANT = re.compile(r"HTTP_(X_AMZ_(?!DATE|SECURITY_TOKEN|USER_AGENT|MOTO|TARGET).*|IF_.*|RANGE|CONTENT_MD5)")


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_request(self, *_):
        """One line a request would drown everything else."""


class OneAtATime:
    """Moto's application, with accounts by access key and without races."""

    def __init__(self, application, latency):
        self.application = application
        self.latency = latency
        self.turn = threading.Lock()
        self.requests = collections.defaultdict(list)
        self.details = collections.defaultdict(list)

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"].startswith(REQUESTS):
            return answer_lines(self.requests[environ["PATH_INFO"].removeprefix(REQUESTS)], start_response)
        if environ["PATH_INFO"].startswith(DETAILS):
            return answer_lines(self.details[environ["PATH_INFO"].removeprefix(DETAILS)], start_response)
        if signed := CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "")):
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = signed.group(1)
            start_response = self.noting(*signed.groups(), environ, start_response)
        # Read whole before the turn is taken: a client that stalls in mid-upload must not hold up the others.
        body = read_body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        if signed:
            self.details[signed.group(1)].append(describe(signed.group(2), environ, body))
        if signed and self.latency:
            write, read, item = self.latency
            is_write = environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE")
            way = item if signed.group(2) == "dynamodb" else write if is_write else read
            time.sleep(way / 1000)
        with self.turn:
            answer = self.application(environ, start_response)
            try:
                return [b"".join(answer)]
            finally:
                if hasattr(answer, "close"):
                    answer.close()

    def noting(self, account, service, environ, start_response):
        """Wraps `start_response` so that the request is noted with its outcome."""
        operation = operation_of(environ)

        def noted(status, *rest):
            self.requests[account].append(f"{service} {operation} {status.split(' ')[0]}")
            return start_response(status, *rest)

        return noted


def answer_lines(lines, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return ["".join(f"{line}\n" for line in lines).encode()]


def operation_of(environ):
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if not operation:
        uri = environ.get("REQUEST_URI") or environ["PATH_INFO"]
        operation = f"{environ['REQUEST_METHOD']} {uri}"
    return operation


def describe(service, environ, body):
    """One line of JSON about a request: what it is, the headers that mean something, a JSON body or a form."""
    headers = {
        name.removeprefix("HTTP_").lower().replace("_", "-"): value
        for name, value in environ.items()
        if MEANT.fullmatch(name)
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    content = None
    if "x-amz-json" in headers["content-type"]:
        content = json.loads(body)
    elif "form-urlencoded" in headers["content-type"]:
        content = dict(urllib.parse.parse_qsl(body.decode(errors="replace")))
    line = {"service": service, "operation": operation_of(environ), "headers": headers, "body": content}
    return json.dumps(line)


def compact_redrive_policy(queue, attributes=Queue.attributes.fget):
    found = attributes(queue)
    if queue.redrive_policy:
        found["RedrivePolicy"] = json.dumps(queue.redrive_policy, separators=(",", ":"))
    return found


Queue.attributes = property(compact_redrive_policy)


def read_body(environ):
    if environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read()
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return environ["wsgi.input"].read(length)


def remember_modules():
    """Moto lists its own source directory for every request, which takes as long as all the rest of one."""
    modules = list(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: modules


class CopyOnce:
    """Stands for the module `copy` during one transaction."""

    def __init__(self):
        self.copies = {}

    def deepcopy(self, what):
        if id(what) not in self.copies:
            self.copies[id(what)] = self.kept(what)
        return self.copies[id(what)]

    @staticmethod
    def kept(what):
        """A table as it is: puts and deletions exchange whole items, and so the items themselves can be shared."""
        if not isinstance(what, models.Table) or what.has_range_key or what.stream_shard:
            return copy.deepcopy(what)
        table = copy.copy(what)
        table.items = copy.copy(what.items)
        return table


def fit_transactions():
    responses.TRANSACTION_MAX_ITEMS = 100
    transact = models.DynamoDBBackend.transact_write_items

    def transact_write_items(self, transact_items):
        updates = any("Update" in item for item in transact_items)
        models.copy = copy if updates else CopyOnce()
        try:
            return transact(self, transact_items)
        finally:
            models.copy = copy

    models.DynamoDBBackend.transact_write_items = transact_write_items


def make_certificate(directory):
    """Makes a certificate for 127.0.0.1 that an authority of this run's own has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.timezone.utc)

    def signed(name, key, issuer, issuer_key, extension):
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(issuer or subject, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=2)).add_extension(extension, critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    basic = x509.BasicConstraints(ca=True, path_length=None)
    authority = signed("emulated authority", authority_key, None, authority_key, basic)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = signed("emulated AWS", key, authority.subject, authority_key, address)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name, content in [
        ("ca.pem", authority.public_bytes(pem)),
        ("server.pem", certificate.public_bytes(pem)),
        ("server.key", secret),
    ]:
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)
    return os.path.join(directory, "server.pem"), os.path.join(directory, "server.key")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--until-eof", action="store_true")
    parser.add_argument("--tls", metavar="DIR")
    parser.add_argument("--latency", metavar="WRITE,READ,ITEM", default="")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    remember_modules()
    fit_transactions()
    latency = tuple(float(one) for one in options.latency.split(",")) if options.latency else None
    application = OneAtATime(DomainDispatcherApplication(create_backend_app), latency)
    tls = make_certificate(options.tls) if options.tls else None
    server = make_server(
        "127.0.0.1", options.port, application, threaded=True, request_handler=Handler, ssl_context=tls
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on {server.server_port}", flush=True)
    # Moto prints now and then, and nobody reads our standard output from here on.
    sys.stdout = sys.stderr
    if options.until_eof:
        sys.stdin.buffer.read()
    else:
        signal.pause()
    os._exit(0)


if __name__ == "__main__":
    main()
