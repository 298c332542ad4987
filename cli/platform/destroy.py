"""`sluice destroy`: delete a stage, and name what stays."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import WaiterError

from cli.platform.console import CliError, JsonOption, err, handled, out, plural, print_result, say
from cli.platform.deploy import YesOption, confirm, place_of
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.platform.stages import stage_named

_BUCKET = "AWS::S3::Bucket"
_KEPT = frozenset({"Retain", "RetainExceptOnCreate"})
_ATTEMPTS = 3  # access logs arrive late: a bucket that was empty may not be any more
_THREADS = 16


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a stack; `kept` are those that outlive it."""

    kind: str
    name: str
    kept: bool


@handled
def destroy(stage: StageOption = LOCAL, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Delete a stage: its functions, queues and machines, and its data, unless it keeps them.

    A stage that keeps its data leaves its buckets, tables, secrets and logs
    behind, which are named: they can be deleted by hand. Buckets that the
    producers own are never touched.

    Examples:
        sluice destroy --stage we-1234-some-feature
        sluice destroy --stage dev --yes
    """
    settings, deployment = stage_named(stage), connect(stage)
    place = "the local cloud" if settings.local else place_of(deployment, settings)
    resources = list(resources_of(deployment))
    kept = [each for each in resources if each.kept]
    say(f"Stage '{stage}' in {place}: {plural(len(resources), 'resource')}, {len(kept):,} of which stay.")
    if settings.keeps_data or not settings.local:
        data = "Its data stays, and nothing adds to it any more." if kept else "Its data goes with it, for good."
        confirm(f"{data} Delete stage '{stage}'?", yes=yes)
    destroy_stage(deployment, resources)
    say(f"Stage '{stage}' is deleted.")
    left = [{"type": each.kind, "name": each.name} for each in kept]
    print_result(left, lambda _: _show(kept), as_json=as_json)


def resources_of(deployment: Deployment) -> Iterator[Resource]:
    """Yield the resources of a stage's stack.

    Raises:
        CliError: The stage is not deployed.
    """
    deployment.output("LakeBucket")
    policies = {name: each.get("DeletionPolicy") for name, each in deployment.template()["Resources"].items()}
    for page in deployment.cloudformation.get_paginator("list_stack_resources").paginate(StackName=deployment.stack):
        for each in page["StackResourceSummaries"]:
            kept = policies.get(each["LogicalResourceId"]) in _KEPT
            yield Resource(each["ResourceType"], each.get("PhysicalResourceId", ""), kept)


def destroy_stage(deployment: Deployment, resources: Sequence[Resource]) -> None:
    """Empty the buckets that go, and delete the stack.

    Raises:
        CliError: CloudFormation cannot delete something.
    """
    cloudformation, stack = deployment.cloudformation, deployment.stack
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    buckets = [each.name for each in resources if each.kind == _BUCKET and not each.kept]
    for last in (attempt == _ATTEMPTS for attempt in range(1, _ATTEMPTS + 1)):
        for bucket in buckets:
            _empty(deployment, bucket)
        try:
            with err.status("Deleting …"):
                cloudformation.delete_stack(StackName=stack)
                cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack)
        except WaiterError as error:
            if last:
                raise CliError(
                    f"CloudFormation could not delete {stack}:\n{_failures(deployment)}",
                    "Correct what it says, and run this again.",
                ) from error
        else:
            return


def _empty(deployment: Deployment, bucket: str) -> None:
    """Delete every version of every object."""
    s3 = deployment.s3

    def delete(page: Any) -> None:  # noqa: ANN401 - a page of boto3
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects: list[Any] = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})

    with err.status(f"Emptying {bucket} …"), ThreadPoolExecutor(_THREADS) as threads:
        try:
            list(threads.map(delete, s3.get_paginator("list_object_versions").paginate(Bucket=bucket)))
        except s3.exceptions.NoSuchBucket:
            return  # an attempt before this one deleted it


def _failures(deployment: Deployment) -> str:
    pages = deployment.cloudformation.get_paginator("describe_stack_events").paginate(StackName=deployment.stack)
    events = (event for page in pages for event in page["StackEvents"])
    failed = (each for each in events if each.get("ResourceStatus") == "DELETE_FAILED")
    return "\n".join(f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in failed)


def _show(kept: Sequence[Resource]) -> None:
    if kept:
        kinds = Counter(each.kind for each in kept)
        out.print(f"These stay: {', '.join(f'{count:,} {kind}' for kind, count in kinds.items())}", highlight=False)
        for each in kept:
            out.print(f"  {each.kind}  {each.name}", highlight=False, markup=False)
