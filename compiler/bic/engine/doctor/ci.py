"""CI systems (section 5): which one this is, and how each setting is spelt there."""

from __future__ import annotations

from typing import Literal

from bic.engine.doctor.finding import Finding, Probe, probe
from bic.engine.doctor.machine import Host
from bic.engine.doctor.subject import Subject

System = Literal[
    "gitlab-docker",
    "gitlab-kubernetes",
    "github-hosted",
    "github-arc",
    "openshift",
    "kubernetes",
    "bitbucket",
    "docker",
    "host",
]

Need = Literal["namespaces", "ids", "privileges", "volume", "fuse", "apparmor", "setfcap"]
"""What a machine may have to be given."""

NAMES: dict[System, str] = {
    "gitlab-docker": "GitLab, Docker executor",
    "gitlab-kubernetes": "GitLab, Kubernetes executor",
    "github-hosted": "GitHub, hosted runner",
    "github-arc": "GitHub, runner in a pod (ARC)",
    "openshift": "OpenShift",
    "kubernetes": "Kubernetes pod",
    "bitbucket": "Bitbucket Pipelines",
    "docker": "container",
    "host": "host without a container",
}

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"

UNCONFINED = (
    "pod securityContext: `seccompProfile.type: Unconfined` and `appArmorProfile.type: Unconfined`, "
    "or `hostUsers: false` (Kubernetes 1.33)"
)
POD_IDS = "container securityContext: `allowPrivilegeEscalation: true`, `capabilities.add: [SETUID, SETGID]`"
RUNNER_IDS = "config.toml, [runners.kubernetes]: `allow_privilege_escalation = true`, and in "
RUNNER_CAPS = (
    '[runners.kubernetes.build_container_security_context.capabilities]: `add = ["SETUID", "SETGID"]`'
)
EMPTY_DIR = "an emptyDir volume mounted at `{store}`"
DOCKER = "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined`"
SCC = "an SCC that allows it (`anyuid`, or Red Hat's custom SCC for buildah as a non-root user)"
SYSCTL = "`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` on the host"

SETTINGS: dict[tuple[System, Need], str] = {
    ("gitlab-docker", "namespaces"): "runner's config.toml, [runners.docker]: `security_opt = "
    '["seccomp=unconfined", "apparmor=unconfined"]`',
    ("gitlab-docker", "volume"): 'runner\'s config.toml, [runners.docker]: `volumes = ["{store}"]`',
    ("gitlab-docker", "fuse"): 'runner\'s config.toml, [runners.docker]: `devices = ["/dev/fuse"]`',
    ("gitlab-kubernetes", "namespaces"): UNCONFINED,
    ("gitlab-kubernetes", "ids"): RUNNER_IDS + RUNNER_CAPS,
    ("gitlab-kubernetes", "privileges"): RUNNER_IDS + RUNNER_CAPS,
    ("gitlab-kubernetes", "volume"): '[[runners.kubernetes.volumes.empty_dir]]: `mount_path = "{store}"`',
    ("gitlab-kubernetes", "fuse"): "a device plugin for /dev/fuse",
    (
        "github-hosted",
        "namespaces",
    ): "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` as a step",
    (
        "github-hosted",
        "apparmor",
    ): "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` as a step",
    ("github-arc", "namespaces"): "runner's pod template: `hostUsers: false`, else " + UNCONFINED,
    ("github-arc", "ids"): POD_IDS,
    ("github-arc", "privileges"): POD_IDS,
    ("github-arc", "volume"): "runner's pod template: " + EMPTY_DIR,
    ("github-arc", "fuse"): "a device plugin for /dev/fuse",
    ("openshift", "namespaces"): SCC,
    ("openshift", "ids"): SCC + "; SETFCAP where root runs in the pod",
    ("openshift", "privileges"): SCC,
    ("openshift", "volume"): EMPTY_DIR,
    ("openshift", "fuse"): "annotation `io.kubernetes.cri-o.Devices: /dev/fuse`, or a device plugin",
    ("kubernetes", "namespaces"): UNCONFINED,
    ("kubernetes", "ids"): POD_IDS,
    ("kubernetes", "privileges"): POD_IDS,
    ("kubernetes", "volume"): EMPTY_DIR,
    ("kubernetes", "fuse"): "a device plugin for /dev/fuse",
    ("bitbucket", "namespaces"): "a self-hosted runner: its hosted ones cannot be changed",
    ("docker", "namespaces"): DOCKER,
    ("docker", "volume"): "`--volume {store}` (an anonymous volume)",
    ("docker", "fuse"): "`--device /dev/fuse`",
    ("docker", "privileges"): "no `--security-opt no-new-privileges`",
    ("docker", "apparmor"): DOCKER,
    ("docker", "setfcap"): "`--cap-add SETFCAP`",
    ("gitlab-docker", "setfcap"): 'runner\'s config.toml, [runners.docker]: `cap_add = ["SETFCAP"]`',
    ("host", "privileges"): "a service unit without `NoNewPrivileges=`",
}

GENERAL: dict[Need, str] = {
    "namespaces": "`sysctl -w user.max_user_namespaces=16384` and, on old Debian, "
    "`sysctl -w kernel.unprivileged_userns_clone=1`",
    "ids": "a line `{user}:100000:65536` in both /etc/subuid and /etc/subgid",
    "privileges": "a container that may gain privileges (not no-new-privileges)",
    "volume": "a volume of a real disk at `{store}`",
    "fuse": "`/dev/fuse` readable and writable for `{user}`, and fuse-overlayfs on PATH",
    "apparmor": SYSCTL,
    "setfcap": "container securityContext: `capabilities.add: [SETFCAP]`",
}


def recognise(host: Host) -> System:
    """The CI system or kind of machine, by the variables and files that each leaves (section 5)."""
    env = host.env
    in_pod = "KUBERNETES_SERVICE_HOST" in env or host.path(SERVICE_ACCOUNT).exists()
    if "GITLAB_CI" in env:
        return "gitlab-kubernetes" if in_pod else "gitlab-docker"
    if "GITHUB_ACTIONS" in env and in_pod:
        return "github-arc"
    if "GITHUB_ACTIONS" in env and env.get("RUNNER_ENVIRONMENT") == "github-hosted":
        return "github-hosted"
    if "BITBUCKET_BUILD_NUMBER" in env:
        return "bitbucket"
    if host.path("/var/run/secrets/openshift.io").exists():
        return "openshift"
    if in_pod:
        return "kubernetes"
    return "docker" if host.in_container else "host"


def setting(subject: Subject, need: Need) -> str:
    """How this machine is given what it needs."""
    text = SETTINGS.get((recognise(subject.host), need), GENERAL[need])
    return text.replace("{store}", subject.store).replace("{user}", subject.host.user)


@probe("ci-system", "I", symptom="", evidence="section 5")
def system(this: Probe, subject: Subject) -> Finding | None:
    """The CI system or kind of machine, and the setting that builds there work with."""
    host = subject.host
    found = recognise(host)
    who = f"uid {host.uid}{' in a user namespace' if host.in_user_namespace else ''}, kernel {host.kernel}"
    return this.tells(f"{NAMES[found]}; {who}", _advice(found))


def _advice(found: System) -> str:
    match found:
        case "host" | "docker" | "bitbucket":
            return ""
        case "gitlab-docker":
            return "store under the project's folder if it shall be cached; login from $CI_REGISTRY_*"
        case "github-hosted":
            return "native arm64 runners (`ubuntu-24.04-arm`); cache OCI layouts, not the store"
        case "gitlab-kubernetes" | "github-arc" | "kubernetes" | "openshift":
            return "the store on an emptyDir; steps run in chroot isolation"


PROBES = (system,)
