"""The local cloud's Aurora DSQL lets in whom AWS would: by a token of an IAM role that may, as a role it is granted."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from cli.platform import local_cloud
from cli.platform.local_cloud import LocalCloud
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.mart.model import ADMIN, MartError, Role
from sluice.mart.roles_postgres import grant
from tests.support.local.deployed_cloud import free_port

TRUST = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
CONNECT = {
    "Effect": "Allow",
    "Action": "dsql:DbConnect",
    "Resource": f"arn:aws:dsql:{local_cloud.REGION}:000000000000:cluster/one",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(local_cloud.FOLDER_VARIABLE, str(tmp_path_factory.mktemp("local") / "cloud"))
        yield local_cloud.start(free_port())
        local_cloud.stop()


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def user(cloud: LocalCloud, key: str = "", secret: str = "", token: str | None = None) -> boto3.Session:
    return boto3.Session(key or cloud.access_key_id, secret or cloud.secret_access_key, token, region_name="us-east-1")


def mart_of(cloud: LocalCloud, session: boto3.Session, role: str = ADMIN, cluster: str = "one") -> Mart:
    return Mart(connector(MartAddress(f"{cluster}.localhost", cloud.mart_port), role, session))


def who(cloud: LocalCloud, session: boto3.Session, role: str, cluster: str = "one") -> list[tuple[Any, ...]]:
    mart = mart_of(cloud, session, role, cluster)
    try:
        return mart.query("SELECT current_user::text")
    finally:
        mart.close()


def test_who_has_no_key_of_this_start_is_refused(cloud: LocalCloud) -> None:
    assert who(cloud, user(cloud), ADMIN) == [("admin",)]
    for key, secret in (("AKIAEXAMPLE", "x"), (cloud.access_key_id, "x"), ("test", "test")):
        with pytest.raises(MartError, match="access denied"):
            who(cloud, user(cloud, key, secret), ADMIN)
    for role in ("postgres", "nobody"):  # the server's own, and one that is not there
        with pytest.raises(MartError, match="does not exist"):
            who(cloud, user(cloud), role)


def test_an_iam_role_connects_as_what_it_is_granted_if_its_policies_let_it(cloud: LocalCloud) -> None:
    direct: Any = {"endpoint_url": cloud.endpoint}
    iam, sts = user(cloud).client("iam", **direct), user(cloud).client("sts", **direct)
    arn = iam.create_role(RoleName="Reader", AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    taken = sts.assume_role(RoleArn=arn, RoleSessionName="reader")["Credentials"]
    reader = user(cloud, taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
    admin = mart_of(cloud, user(cloud))
    admin.execute("CREATE SCHEMA mart")
    admin.execute("CREATE ROLE other WITH LOGIN")
    grant(admin, [Role("reader", arn, frozenset())])
    admin.close()
    with pytest.raises(MartError, match="not authorized to perform: dsql:DbConnect on"):
        who(cloud, reader, "reader")
    iam.put_role_policy(RoleName="Reader", PolicyName="mart", PolicyDocument=policy(CONNECT))
    assert who(cloud, reader, "reader") == [("reader",)]
    with pytest.raises(MartError, match="not authorized to perform: dsql:DbConnectAdmin on"):
        who(cloud, reader, ADMIN)
    with pytest.raises(MartError, match='not granted the database role "other"'):
        who(cloud, reader, "other")


def test_clusters_share_nothing(cloud: LocalCloud) -> None:
    """Two stages of one local cloud: rows, roles and grants of one are not the other's."""
    with pytest.raises(MartError, match="cluster three does not exist"):
        who(cloud, user(cloud), "reader", "three")
    for cluster in ("three", "four"):
        admin = mart_of(cloud, user(cloud), cluster=cluster)
        admin.execute("CREATE SCHEMA mart")
        admin.execute("CREATE TABLE plays (n bigint)")
        admin.execute("INSERT INTO plays VALUES (%s)", [len(cluster)])
        grant(admin, [Role("reader", f"arn:aws:iam::000000000000:role/{cluster}", frozenset({("SELECT", "plays")}))])
        assert admin.query("SELECT n FROM plays") == [(len(cluster),)]
        granted = admin.query("SELECT arn FROM sys.iam_pg_role_mappings")
        assert granted == [(f"arn:aws:iam::000000000000:role/{cluster}",)]
        admin.close()
