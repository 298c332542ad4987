"""Say who may connect to the local cloud's Aurora DSQL: tokens are checked as AWS's are, by signature and policies."""

import os
from collections.abc import Collection
from datetime import UTC, datetime

from ministack.core import iam_evaluator as keys
from ministack.core.responses import _account_from_sts_session as account_of_session

from cli.emulator.dsql import ADMIN, cluster_of
from cli.emulator.gate import secret_of
from cli.emulator.signatures import RefusedError, Request, Signature


def admit(role: str, token: str, iam_roles: Collection[str]) -> None:
    """Let in who has a token for a mart of this start, for `admin` or for a database role that IAM roles are granted.

    Raises:
        PermissionError: The token is no such, or its IAM role may not connect, or not as this role.
    """
    place, _, query = token.partition("/?")
    request = Request("GET", "/", query, [("host", place)])
    try:
        signature = Signature.of(request, datetime.now(UTC))
        signed = signature.is_made_with(secret_of(signature), b"")
    except RefusedError as refused:
        raise PermissionError(str(refused)) from refused
    action = dict(request.query).get("Action", "")
    wanted = "DbConnectAdmin" if role == ADMIN else "DbConnect"
    if not signed or signature.service != "dsql" or action != wanted:
        raise PermissionError(f"the token is not one for {wanted}")
    if signature.key == os.environ["AWS_ACCESS_KEY_ID"]:  # the user's own
        return
    account = account_of_session(signature.key) or ""
    found = keys.resolve_credential(signature.key, account, signature.token)
    caller = getattr(found, "principal_arn", "")
    cluster = f"arn:aws:dsql:{signature.region}:{account}:cluster/{cluster_of(token)}"
    if keys.enforce(signature.key, f"dsql:{action}", "dsql", signature.region, cluster) is not None:
        raise PermissionError(f"{caller} is not authorized to perform: dsql:{action} on resource: {cluster}")
    _, _, name = caller.rpartition("assumed-role/")
    if role != ADMIN and f"arn:aws:iam::{account}:role/{name.split('/')[0]}" not in iam_roles:
        raise PermissionError(f'{caller} is not granted the database role "{role}" (AWS IAM GRANT)')
