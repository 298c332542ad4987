"""The deployed service answers who signs, and nobody else."""

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from cli.recommender.service import address, ask, send
from tests.support.local.deployed_cloud import Cloud


def test_the_service_answers_who_signs(cloud: Cloud) -> None:
    assert ask(cloud.deployment, "/health") == {"status": "ok"}
    assert ask(cloud.deployment, "/openapi.json")["security"] == [{"iam": []}]
    page = send(cloud.deployment, "/swagger")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    for headers in ({}, {"Authorization": "Bearer x.y.z"}):
        request = AWSRequest("GET", f"{address(cloud.deployment)}/health", headers)
        assert URLLib3Session(proxies={}).send(request.prepare()).status_code in {400, 401, 403}


def test_the_command_says_what_the_service_says(cloud: Cloud) -> None:
    unknown = cloud.invoke("recommend", "for", str(2**62))
    assert (unknown.exit_code, unknown.document["error"]) == (1, f"The service says 404: There is no user {2**62}.")
    wrong = cloud.invoke("recommend", "for", "1", "--limit", "101")
    assert "422: A parameter of the request is wrong. query.limit: " in wrong.document["error"]
