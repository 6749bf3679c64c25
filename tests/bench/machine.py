"""machine.py - the servers under test and what they are measured against: started, watched, ended.

Everything here is started by one Machine and ended by it, in the reverse order, whatever happens.
"""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SERVE_SECONDS = 20
END_SECONDS = 30


class BenchError(Exception):
    """Something could not be measured; the text says why."""


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connects(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def cpu_ns(pid):
    """CPU time of all threads of a process, in ns: the kernel's clock of that process, which agrees
    with utime + stime of /proc/PID/stat but does not count in hundredths of a second."""
    try:
        return int(time.clock_gettime((~pid << 3) | 2) * 1e9)
    except OSError:
        return 0


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except FileNotFoundError:
        return []


def end_child(pid):
    """Of a child of ours, so the number is still its own."""
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


def private_bytes(pid):
    total = 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1]) * 1024
    return total


class Running:
    """A process, perhaps with workers of its own."""

    def __init__(self, process):
        self.process, self.pid = process, process.pid

    def workers(self):
        return children(self.pid)

    def cpu_ns(self):
        return sum(cpu_ns(pid) for pid in [self.pid, *self.workers()])


class Server(Running):
    """With a port."""

    def __init__(self, process, port):
        super().__init__(process)
        self.port = port

    def private_bytes(self):
        return sum(private_bytes(pid) for pid in self.workers())


class Xiaotud(Server):
    """With its control socket and its configuration, which may be written anew."""

    def __init__(self, machine, process, port, path):
        super().__init__(process, port)
        self.machine, self.path, self.control = machine, path, path.with_suffix(".sock")

    def upgrade(self):
        """Returns when the old master has left; the new one has become a child of ours."""
        self.ask("upgrade")
        self.process.wait(END_SECONDS)
        self.pid = self.ask("status")["pid"]

    def ask(self, command):
        out = subprocess.run([self.machine.programs / "xiaotuctl", "-s", self.control, "--json",
                              command], check=True, capture_output=True, text=True)
        return json.loads(out.stdout)


class Load(Running):
    """A generator: orders go in, what came of them comes out. See load.c."""

    def order(self, text):
        self.begin(text)
        return self.outcome()

    def begin(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def outcome(self):
        line = self.process.stdout.readline()
        if not line:
            raise BenchError("the generator ended")
        return json.loads(line)

    def open(self, n, gap_us=0):
        out = self.order(f"open {n} {gap_us}")
        if out["open"] != n:
            raise BenchError(f"{n} connections wanted, {out['open']} opened")
        return out

    def end(self):
        self.process.stdin.close()
        self.process.wait(END_SECONDS)
        self.process.stdout.close()


class Machine:
    """Where everything runs: a folder, and the processes."""

    def __init__(self, programs):
        self.programs = pathlib.Path(programs).resolve()
        self.bench = self.programs / "bench"

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="xiaotu-bench-"))
        self.started, self.count = [], 0
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.end(self.started)
        for pid in children(os.getpid()):  # orphans of what was started come to us
            end_child(pid)
        shutil.rmtree(self.folder, ignore_errors=True)

    def end(self, processes):
        """TERM for all, then wait for each; who does not leave is killed."""
        for process in reversed(processes):
            if process.poll() is None:
                process.terminate()
        for process in list(processes):
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                workers = children(process.pid)
                process.kill()
                process.wait()
                for pid in workers:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            if process in self.started:
                self.started.remove(process)

    def mark(self):
        """For end_since(): all that is started from now on."""
        return len(self.started)

    def end_since(self, mark):
        self.end(self.started[mark:])

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def start(self, command, **more):
        process = subprocess.Popen([str(word) for word in command], start_new_session=True,
                                   preexec_fn=die_with_parent, **more)
        self.started.append(process)
        return process

    def wait_for(self, process):
        process.wait(END_SECONDS)
        self.started.remove(process)

    def wait_for_port(self, process, port, log=None):
        until = time.monotonic() + SERVE_SECONDS
        while not connects(port):
            if process.poll() is not None or time.monotonic() > until:
                why = log.read_text() if log and log.exists() else ""
                raise BenchError(f"{process.args[0]} does not serve: {why}")
            time.sleep(0.005)

    def say_serves(self, process):
        if process.stdout.readline().strip() != "serves":
            raise BenchError(f"{process.args[0]} does not serve")

    def nginx(self, location, workers, upstream=0):
        """location: the body of `location /`; upstream: the port of the robot it names."""
        name, port = self.name("nginx"), free_port()
        conf, log = self.folder / f"{name}.conf", self.folder / f"{name}.log"
        robot = (f"upstream robot {{ server 127.0.0.1:{upstream}; keepalive 8192;"
                 " keepalive_requests 1000000000; }" if upstream else "")
        conf.write_text(f"""
            daemon off; worker_processes {workers}; pid {self.folder}/{name}.pid; error_log {log};
            events {{ worker_connections 18000; }}
            http {{
                access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
                client_body_temp_path {self.folder}/{name}.a; proxy_temp_path {self.folder}/{name}.b;
                fastcgi_temp_path {self.folder}/{name}.c; uwsgi_temp_path {self.folder}/{name}.d;
                scgi_temp_path {self.folder}/{name}.e;
                {robot}
                server {{
                    listen 127.0.0.1:{port} reuseport backlog=4096;
                    location / {{ {location} }}
                }}
            }}""")
        process = self.start([shutil.which("nginx"), "-p", self.folder, "-e", log, "-c", conf])
        self.wait_for_port(process, port, log)
        return Server(process, port)

    def origin(self, workers):
        """The fixed robot of the comparison: nginx that returns a Turing answer."""
        return self.nginx("default_type application/json;"
                          " return 200 '{\"code\":100000,\"text\":\"hi\"}';", workers)

    def proxy(self, robot_port, workers, more=""):
        return self.nginx("proxy_pass http://robot; proxy_http_version 1.1;"
                          f" proxy_set_header Connection ''; {more}", workers, robot_port)

    def xiaotud(self, robot, workers, more="", program=(), wait=True):
        """robot: the inside of its group; program: what xiaotud is run by, such as valgrind."""
        name, port = self.name("xiaotud"), free_port()
        log = self.folder / f"{name}.log"
        path = self.folder / f"{name}.conf"
        path.write_text(f"""
            workers = {workers};
            listen = ( {{ address = "127.0.0.1"; port = {port}; }} );
            robots = ( {{ {robot} }} );
            limits = {{ chats = 0; chats_per_address = 0; messages_per_minute = 0; }};
            log = {{ target = "{log}"; level = "notice"; }};
            control = "{path.with_suffix('.sock')}";
            {more}""")
        path.chmod(0o600)
        process = self.start([*program, self.programs / "xiaotud", "-c", path],
                             stderr=subprocess.DEVNULL)
        if wait:
            self.wait_for_port(process, port, log)
        return Xiaotud(self, process, port, path)

    def hello(self, workers, **more):
        return self.xiaotud('type = "hello";', workers, **more)

    def turing(self, robot_port, workers, **more):
        return self.xiaotud('type = "turing"; api_key = "k";'
                            f' url = "http://127.0.0.1:{robot_port}/openapi/api";', workers, **more)

    def openai(self, robot_port, workers, **more):
        return self.xiaotud(f'type = "openai"; url = "http://127.0.0.1:{robot_port}/v1";', workers,
                            **more)

    def tool(self, *words):
        port = free_port()
        process = self.start([self.bench, words[0], port, *words[1:]], stdout=subprocess.PIPE,
                             text=True)
        self.say_serves(process)
        return Server(process, port)

    def echo(self, workers):
        return self.tool("echo", workers)

    def robot(self, delay_ms=0, pieces=0, gap_us=0):
        return self.tool("robot", delay_ms, pieces, gap_us)

    def load(self, speaks, port, most, processes=1):
        process = self.start([self.bench, "load", speaks, port, most, processes],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return Load(process)
