package harness

/** An `ecs-pipeline` on the agent's PATH that notes where and with what it was started, and says that all went well. */
class StandIn {
    private final File notes

    /** @param version what it says it is: the launch script takes its own version only */
    StandIn(RealSh agent, File folder, String version) {
        notes = new File(folder, 'notes')
        notes.mkdirs()
        File program = new File(folder, 'bin/ecs-pipeline')
        program.parentFile.mkdirs()
        program.text = """#!/bin/sh
[ "\$1" != --version ] || { echo "ecs-pipeline, version ${version}"; exit 0; }
{ echo "command=\$1"; echo "folder=\$PWD"; [ ! -f ecs-pipeline.yml ] || echo config=found; env | grep -e ^AWS_ -e ^ECS_PIPELINE_LAUNCH; } >"${notes}/\$(ls "${notes}" | wc -l)"
if [ "\$1" = status ]; then echo '{"cluster": "shop", "service": "api", "region": "eu-west-1", "canary": null}'; exit 0; fi
echo '{"outcome": "passed", "message": "", "service": "", "epoch": "0", "release": {"id": "r1", "digest": "sha256:abc"}, "canary": {"share": 25.0}}' >"\$ECS_PIPELINE_REPORTS/\$1.json"
echo '<testsuite name="x"><testcase name="preflight"/></testsuite>' >"\$ECS_PIPELINE_REPORTS/TEST-ecs-pipeline-\$1.xml"
"""
        program.executable = true
        agent.agent.putAll([PATH: "${program.parent}:${System.getenv('PATH')}".toString(), HOME: folder.path])
    }

    /** What each start noted. */
    List<Map<String, String>> getRuns() {
        notes.listFiles().sort { it.name.toInteger() }.collect { File one -> one.readLines().collectEntries { int i = it.indexOf('='); [(it.substring(0, i)): it.substring(i + 1)] } }
    }
    Map run(String command) { runs.find { it.command == command } }
    List<String> getCommands() { runs*.command }
}
