"""Tasks of type map: every version that is merged gets its maps, from its own merge."""
import os

from conduct import DONE, Experiment, main


def test_map():
    e = Experiment()
    e.write("UPDATE task SET active = 0, revision = (SELECT value FROM counter WHERE name = 'revision')")
    make = ["dataset", "--store", e.folder, "--expression", "runs 1-", "--min-interval", "0", "--name"]
    e.run(*make, "bad", "--task", "stills", "--task", "early:map:stills")
    e.run(*make, "d", "--task", "stills", "--task", "both:merge:stills", "--task", "density:map:both")
    model = os.path.join(e.folder, "model.pdb")
    e.write("UPDATE task SET params = ?, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE name = 'density'",
            "[map]\nmodel = model.pdb\n")
    conductor = e.conduct()
    for version in (1, 2):
        e.add_run(f"r000{version}", 16)
        ((path, ranks, command),) = e.wait_for(
            "SELECT job.path, a.ranks, a.command FROM job JOIN dataset_version v ON v.id = job.version JOIN attempt a ON a.job = job.id "
            "JOIN task ON task.id = job.task WHERE task.name = 'density' AND v.number = ? AND job.state = ?", version, DONE)
        ((merge,),) = e.query("SELECT path FROM job JOIN dataset_version v ON v.id = job.version JOIN task ON task.id = job.task "
                              "WHERE task.name = 'both' AND v.number = ?", version)
        folder = os.path.join(e.folder, path)
        assert open(os.path.join(folder, "map.json")).read() == os.path.join(e.folder, merge, "merged.mtz"), command
        assert ranks == 1, ranks
        # The path is the experiment's, the rest as the task says.
        assert f"model = {model}\n" in open(os.path.join(folder, "attempt-0001.params")).read()
    e.wait_for("SELECT 1 FROM worker WHERE name = 'dataset:bad' AND state = 'failing' AND message LIKE '%type merge%'")
    conductor.terminate()
    assert conductor.wait(60) == 0
    e.check_each_started_once()
    e.remove()


main([test_map])
