"""The local cloud, asked by others than its user: web pages, other users of the machine, whoever finds the port."""

import hashlib
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from cli.emulator.signatures import RefusedError, Request, Signature
from cli.platform import local_cloud
from cli.platform.local_cloud import LocalCloud
from tests.platform.infra.test_local_cloud import call_a_function
from tests.support.local.deployed_cloud import free_port, wait_until

CALLS = {
    "lambda": "list_functions",
    "s3": "list_buckets",
    "dynamodb": "list_tables",
    "sqs": "list_queues",
    "iam": "list_users",
    "stepfunctions": "list_state_machines",
    "cloudformation": "list_stacks",
    "secretsmanager": "list_secrets",
    "cloudwatch": "list_metrics",
    "sts": "get_caller_identity",
}
SESSION: Any = boto3.Session(region_name=local_cloud.REGION)
DIRECT = Config(proxies={})
KEYS = ("a b+c/ü&=?#%.txt", "x//y", "~tilde'()*!", "a%20b")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(local_cloud.FOLDER_VARIABLE, str(tmp_path_factory.mktemp("local") / "cloud"))
        yield local_cloud.start(free_port())
        local_cloud.stop()


def session(cloud: LocalCloud, key: str, secret: str, token: str | None = None) -> Callable[[str], Any]:
    """Clients with such an access key."""
    access: Any = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
    return lambda service: SESSION.client(service, endpoint_url=cloud.endpoint, config=DIRECT, **access)


def test_its_files_are_the_users_alone(cloud: LocalCloud) -> None:
    found = [cloud.folder, *cloud.folder.rglob("*")]
    assert {"cloud.json", "cloud.log", "aws-config"} < {path.name for path in found}
    for path in found:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_each_start_has_an_access_key_of_its_own(cloud: LocalCloud) -> None:
    assert len(cloud.secret_access_key) >= 32
    assert cloud.secret_access_key not in repr(cloud)
    assert cloud.secret_access_key not in cloud.profile_command
    assert cloud.secret_access_key in (cloud.folder / "aws-config").read_text()


@pytest.mark.parametrize("service", CALLS)
def test_who_has_not_its_access_key_gets_nothing(cloud: LocalCloud, service: str) -> None:
    own, secret = cloud.access_key_id, cloud.secret_access_key
    for key, other in (("test", "test"), ("test", secret), ("000000000000", secret), ("AKIAEXAMPLE", "x"), (own, "x")):
        client = session(cloud, key, other)(service)
        with pytest.raises(ClientError) as refused:
            getattr(client, CALLS[service])()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403}, (key, other)


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.test"}, {"Origin": "null"}, {"Host": "evil.test"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=str,
)
def test_a_web_page_gets_nothing_even_with_the_access_key(cloud: LocalCloud, headers: dict[str, str]) -> None:
    request = AWSRequest("GET", f"{cloud.endpoint}/2015-03-31/functions/", headers=headers)
    SigV4Auth(Credentials(cloud.access_key_id, cloud.secret_access_key), "lambda", local_cloud.REGION).add_auth(request)
    for method, path in (("GET", "/2015-03-31/functions/"), ("GET", "/_ministack/health"), ("OPTIONS", "/")):
        answer = ask(cloud, method, path, dict(request.headers.items()))
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def ask(cloud: LocalCloud, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> httpx.Response:
    return httpx.request(method, cloud.endpoint + path, headers=headers, content=body, trust_env=False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/2015-03-31/functions"),
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/lambda-code/tell"),
        ("GET", "/_ministack/rds/iam-auth"),
        ("GET", "//_ministack/health/../x"),
        ("POST", "/_ministack/cfn-response/x"),
        ("PUT", "/_ministack/cfn-signal/x"),
        ("GET", "/oauth2/authorize"),
        ("GET", "/iceberg/v1/config"),
        ("GET", "/v2/"),
        ("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test/20260101/us-east-1/s3/aws4_request"),
        ("GET", "/?AWSAccessKeyId=test&Signature=x&Expires=9999999999"),
    ],
)
def test_nothing_is_answered_unsigned(cloud: LocalCloud, method: str, path: str) -> None:
    answer = ask(cloud, method, path, {}, b"{}" if method != "GET" else b"")
    assert answer.status_code in {400, 403}
    assert "access-control-allow-origin" not in answer.headers


def test_a_functions_secret_cannot_be_worked_out(cloud: LocalCloud) -> None:
    told = call_a_function(cloud)["environment"]
    own = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    assert session(cloud, *(told[name] for name in sorted(own)))("sts").get_caller_identity()["Arn"].endswith("/tell")
    role = "arn:aws:iam::000000000000:role/teller"
    digest = hashlib.sha256(f"arn:aws:lambda:us-east-1:000000000000:function:tell:{role}".encode()).hexdigest()
    secret, token = (hashlib.sha256(f"{kind}:{digest}".encode()).hexdigest() for kind in ("secret", "token"))
    with pytest.raises(ClientError):
        session(cloud, f"ASIA{digest[:16].upper()}", secret, token)("sts").get_caller_identity()
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        session(cloud, told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"])("sts").get_caller_identity()


@pytest.fixture
def tools(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """What AWS tools do with the profile that the command names."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "localhost")
    for name, value in cloud.profile.items():
        monkeypatch.setenv(name, value)
    made: Any = boto3.Session()
    client: Callable[[str], Any] = made.client
    return client


def test_tools_with_its_profile_work(cloud: LocalCloud, tools: Callable[[str], Any]) -> None:
    for service, call in CALLS.items():
        getattr(tools(service), call)()
    s3 = tools("s3")
    assert s3.meta.endpoint_url == cloud.endpoint
    s3.create_bucket(Bucket="files")
    for key, body in zip(KEYS, (b"0123456789" * 1_000_000, b"a", b"b", b""), strict=True):
        s3.upload_fileobj(io.BytesIO(body), "files", key)  # in parts, with checksums behind them
        assert s3.get_object(Bucket="files", Key=key)["Body"].read() == body
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="files", Prefix="a b+")["Contents"]] == [KEYS[0]]
    names = {"get_object": "GET", "put_object": "PUT", "head_object": "HEAD"}
    for (call, method), key in product(names.items(), KEYS):
        link = s3.generate_presigned_url(call, Params={"Bucket": "files", "Key": key}, ExpiresIn=60)
        sent = b"by link" if method == "PUT" else b""
        assert httpx.request(method, link, content=sent, trust_env=False).status_code == 200, (call, key)
        assert httpx.request(method, f"{link[:-1]}{'1' if link[-1] == '0' else '0'}").status_code == 403


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('aws-config')",
        "select * from read_csv('http://127.0.0.1:1/')",
        "copy (select 1) to 'copied'",
        "attach 'attached'",
        "install httpfs",
        "set enable_external_access = true",
    ],
)
def test_a_query_reaches_neither_files_nor_the_network(
    cloud: LocalCloud, tools: Callable[[str], Any], sql: str
) -> None:
    athena = tools("athena")
    results = {"OutputLocation": "s3://results/"}
    asked = athena.start_query_execution(QueryString=sql, ResultConfiguration=results)["QueryExecutionId"]
    ended = wait_until(lambda: _end_of(athena, asked), 30)
    assert ended["State"] == "FAILED"
    assert re.search("[Ee]xternal|disabled|access", ended["StateChangeReason"])
    assert not {"copied", "attached"} & {path.name for path in cloud.folder.iterdir()}


def _end_of(athena: Any, execution: str) -> Any:
    status = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
    return status if status["State"] in {"SUCCEEDED", "FAILED"} else None


NOW = datetime.now(UTC)
KEY, SECRET, BODY = "LOCALKEY", "the secret", b"{}"


def signed(link: int, time: datetime = NOW) -> dict[str, Any]:
    """What is sent of a request that botocore signs; `link` is the seconds that a link to S3 lasts."""
    made = AWSRequest("PUT", "http://localhost:1/b/a%20b?x=1&y=", {"Host": "localhost:1", "X-Amz-Meta-A": "b"}, BODY)
    keys, region = Credentials(KEY, SECRET), "us-east-1"
    signer = S3SigV4QueryAuth(keys, "s3", region, link) if link else SigV4Auth(keys, "dynamodb", region)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda **_: time)
        signer.add_auth(made)
    path, _, query = str(made.url).removeprefix("http://localhost:1").partition("?")
    return {"method": "PUT", "path": path, "query": query, "headers": dict(made.headers.items())}


def accepted(sent: dict[str, Any], body: bytes = BODY, secret: str = SECRET) -> bool:
    signature = Signature.of(Request(sent["method"], sent["path"], sent["query"], sent["headers"].items()), NOW)
    return signature.is_made_with(secret, body if signature.needs_body else b"")


@pytest.mark.parametrize("link", [0, 600])
def test_whatever_is_changed_of_a_signed_request_it_is_refused(link: int) -> None:
    sent = signed(link)
    assert accepted(sent)
    assert not accepted(sent, secret="another")
    assert link or not accepted(sent, body=b"another")
    headers = sent["headers"]
    changes: list[dict[str, Any]] = [
        {"method": "DELETE"},
        {"path": "/b/another"},
        {"path": "/b/a%20b/../c"},
        {"query": sent["query"] + "&z=1"},
        {"query": sent["query"].replace("x=1", "x=2")},
        {"headers": headers | {"X-Amz-Meta-A": "c"}},
        {"headers": headers | {"Host": "127.0.0.1:1"}},
    ]
    for change in changes:
        assert not accepted(sent | change), change
    twice = "&X-Amz-Credential=x" if link else "&AWSAccessKeyId=test"
    with pytest.raises(RefusedError, match="not signed"):  # it would lead to another service
        accepted(sent | {"headers": headers | {"X-Amz-Target": "secretsmanager.ListSecrets"}})
    with pytest.raises(RefusedError, match="more than once"):
        accepted(sent | {"query": sent["query"] + twice})


@pytest.mark.parametrize(
    ("link", "age"),
    [(0, timedelta(minutes=16)), (0, timedelta(minutes=-16)), (60, timedelta(seconds=61)), (9**9, timedelta(0))],
)
def test_a_signature_has_its_time(link: int, age: timedelta) -> None:
    assert accepted(signed(min(link, 60)))
    with pytest.raises(RefusedError, match="time of the signature is over"):
        accepted(signed(link, NOW - age))
