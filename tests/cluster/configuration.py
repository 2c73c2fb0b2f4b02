"""configuration.py: the files from which a test cluster's daemons start (Slurm 22.05, OpenSSH 9, MariaDB 10.11)."""
import os

MARIADB = ["--no-defaults", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0",
           "--innodb-doublewrite=0", "--innodb-flush-method=nosync", "--sync-binlog=0"]
DATABASE = ("create database slurm_acct; create user slurm@127.0.0.1 identified by 'slurmpw'; "
            "grant all on slurm_acct.* to slurm@127.0.0.1")

SLURM = """\
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/sock,cred_expire=5
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/state/slurmctld.pid
SlurmdPidFile={folder}/spool/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
TmpFS={folder}/tmp/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
SlurmdParameters=config_overrides
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,bf_continue,sched_min_interval=100000
PriorityType=priority/multifactor
SlurmctldParameters=preempt_send_user_signal
ReturnToService=2
KillWait=2
MessageTimeout=5
SlurmctldTimeout=30
SlurmdTimeout=30
MailProg=/bin/true
NodeName=DEFAULT CPUs={cpus} Boards=1 SocketsPerBoard=1 CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory=2000
{node_lines}
"""
LITE = """\
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MinJobAge=36000
PartitionName=batch Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=cancel Nodes=ALL MaxTime=INFINITE PriorityTier=1 PreemptMode=CANCEL GraceTime=0
PartitionName=urgent Nodes=ALL MaxTime=60 PriorityTier=100 PreemptMode=OFF
"""
FULL = """\
PreemptType=preempt/qos
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[2]}
AccountingStoragePass={folder}/munge/sock
AccountingStorageEnforce=associations,limits,qos
PartitionName=batch Nodes=ALL Default=YES MaxTime=INFINITE
PartitionName=debug Nodes=ALL MaxTime=10
"""
SLURMDBD = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge/sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={ports[2]}
CommunicationParameters=NoInAddrAny
SlurmUser={user}
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[3]}
StorageUser=slurm
StoragePass=slurmpw
StorageLoc=slurm_acct
LogFile={folder}/log/slurmdbd.log
PidFile={folder}/state/slurmdbd.pid
"""
SSHD = """\
Port {direct_port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PrintMotd no
PrintLastLog no
MaxSessions 20
MaxStartups 100
X11Forwarding yes
X11UseLocalhost yes
LogLevel VERBOSE
Subsystem sftp internal-sftp
SetEnv SLURM_CONF={conf} PATH={bin}:{path} HOME={home} LC_ALL=C.UTF-8
"""


def folders(cluster):
    of_nodes = [f"{kind}/{node}" for kind in ("spool", "tmp") for node in cluster.nodes]
    return ["munge", "state", "log", "db", "site/scratch", "site/home", "site/bin", *of_nodes]


def files(cluster):
    """Name, text, mode."""
    lines = "\n".join(f"NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port}"
                      for node, port in zip(cluster.nodes, cluster.ports[6:]))
    values = {**vars(cluster), "node_lines": lines, "path": "/usr/local/bin:/usr/bin:/bin"}
    yield "munge/key", os.urandom(64), 0o600
    yield "slurm.conf", (SLURM + (FULL if cluster.accounting else LITE)).format(**values), 0o644
    if cluster.accounting:
        yield "slurmdbd.conf", SLURMDBD.format(**values), 0o600
    yield "sshd_config", SSHD.format(**values), 0o644
    # What a shell that logs in prints or says at many a site, to be told from a command's answer.
    yield "site/home/.bashrc", f"echo '{cluster.greeting}'\n" if cluster.greeting else "", 0o644


def slurmctld(cluster):
    return ["/usr/sbin/slurmctld", "-D", "-f", cluster.conf]


def accounts(cluster):
    """Lines for sacctmgr, before slurmctld starts."""
    return ["add cluster test", "add account mfx", f"add user {cluster.user} DefaultAccount=mfx AdminLevel=Administrator",
            "add qos preemptable set priority=1 GraceTime=0 PreemptMode=requeue",
            "add qos cancelable set priority=1 GraceTime=0 PreemptMode=cancel",
            "add qos realtime set priority=1000 Preempt=preemptable,cancelable,normal",
            f"modify user {cluster.user} set qos=normal,realtime,preemptable,cancelable"]
