package harness

import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** Stands in for the command line behind `sh`: each command answers with an exit code and its STAGE.json, as told by the test. */
class FakeCommandLine {
    static final String WORKSPACE = '/ws'
    static final String DIGEST = 'example.org/api@sha256:abc'
    final CpsHarness h
    /** What each command was given: [command, options of ECS_PIPELINE_ARGS]. */
    final List<List> given = []
    /** Files, those of the workspace by their paths in it. */
    final Map<String, String> files = [:]
    /** Where `dir` is, and where each command ran. */
    String folder = WORKSPACE
    final List<String> ranIn = []
    /** command → closure of its options that returns [exit code, changes of its report]; the default is success. */
    final Map<String, Closure<List>> answers = [:]
    final List<StepCall> shells = []

    FakeCommandLine(CpsHarness h) {
        this.h = h
        h.variables.env.putAll([BUILD_NUMBER: '7', JOB_URL: 'http://ci/job/shop/', BUILD_URL: 'http://ci/job/shop/7/', BUILD_TAG: 'jenkins-shop-7', GIT_COMMIT: 'ab12cd3'])
        h.build.number = 7
        h.variables.scm = 'git'
        h.steps.sh = { StepCall c -> run(c) }
        h.steps.node = { StepCall c -> h.withEnv([WORKSPACE: WORKSPACE, WORKSPACE_TMP: WORKSPACE + '@tmp']) { inside(WORKSPACE, c.body) } }
        h.steps.dir = { StepCall c -> inside(c.first.toString().startsWith('/') ? c.first.toString() : "${folder}/${c.first}", c.body) }
        h.steps.pwd = { StepCall c -> c.named.tmp ? folder + '@tmp' : folder }
        h.steps.writeFile = { StepCall c -> files[path(c.named.file)] = c.named.text.toString(); null }
        h.steps.readFile = { StepCall c -> files.computeIfAbsent(path(c.named.file).toString()) { throw new java.nio.file.NoSuchFileException(it) } }
        h.steps.fileExists = { StepCall c -> files.containsKey(path(c.first instanceof Map ? c.named.file : c.first)) }
        h.steps.libraryResource = { StepCall c -> "content of ${c.named.resource}".toString() }
        h.steps.input = { StepCall c -> [APPROVER: 'jane', COMMENT: ''] }
    }

    private Object inside(String where, Closure body) {
        String before = folder
        folder = where
        try { return h.runBody(body) } finally { folder = before }
    }
    private String path(Object file) { file.toString().startsWith('/') ? file.toString() : "${folder}/${file}".toString() - "${WORKSPACE}/" }

    /** Without the looks at what runs. */
    List<String> getCommands() { given*.getAt(0) - 'status' }
    Map options(String command) { (Map) given.find { it[0] == command }?.getAt(1) }
    List<Map> allOptions(String command) { given.findAll { it[0] == command }*.getAt(1) }

    /** What launch does for a step: tools/launch.sh, for_jenkins. A closure's answer is [exit code, changes of the report or null for none, why there is none]. */
    Object run(StepCall c) {
        Map env = h.variables.env
        if (!env.ECS_PIPELINE_CALL) { return null } // a script of the Jenkinsfile's own
        shells << c
        assert c.named.keySet() == ['label', 'script'] as Set : 'a code that is returned is green in Pipeline Overview'
        String command = env.ECS_PIPELINE_STAGE
        Map options = (Map) new JsonSlurper().parseText(env.ECS_PIPELINE_ARGS)
        given << [command, options]
        ranIn << folder
        String told = path(env.ECS_PIPELINE_LAUNCH).toString().replaceAll(/launch$/, 'told')
        files.remove(told)
        List answer = answers[command] ? answers[command].call(options) : [0, [:]]
        int code = (int) answer[0]
        boolean none = answer.size() > 1 && answer[1] == null
        String report = none ? '' : JsonOutput.toJson(merged(report(command, options, code), (Map) (answer[1] ?: [:])))
        files[told] = "${env.ECS_PIPELINE_CALL} ${code}\n${answer.size() > 2 ? answer[2] : ''}\n${report}\n".toString()
        if (code == 143) { throw new FlowInterruptedException() }
        if (!(code.toString() in env.ECS_PIPELINE_ACCEPT.tokenize(' '))) { throw new AbortException("script returned exit code ${code}") }
        return null
    }

    private static Map merged(Map usual, Map told) { usual + told + (usual.release instanceof Map && told.release ? [release: usual.release + (Map) told.release] : [:]) }
    static Map report(String command, Map options, int code) {
        String cluster = options.cluster ?: 'shop', service = options.service ?: 'api', region = options.region ?: 'eu-west-1'
        if (command == 'status') { return [cluster: cluster, service: service, region: region, release: 'r0', tasks: [desired: 3, running: 3], canary: null] }
        String outcome = [0: 'passed', 1: 'failed', 2: 'refused', 3: 'refused', 4: 'error', 5: 'inconclusive', 143: 'interrupted'][code]
        return [
            stage: command, outcome: outcome, exit_code: code, cluster: cluster, service: service, region: region,
            changed: command != 'judge' && !(code in [2, 3]), failed_step: '', holder: null, dry_run: options.dry_run ?: false,
            message: code ? "${command} ended with ${code}".toString() : '', cure: code ? 'do something' : '', epoch: '0',
            release: [id: options.release ?: 'r1', image: DIGEST, digest: 'sha256:abc', task_definition: 'api:2', previous_task_definition: 'api:1'],
            canary: [tasks: [], share: command == 'canary' && code in [0, 5] ? 25.0 : 0.0], checks: [], steps: [],
        ] + (options.dry_run ? [plan: ['image: build it', 'tasks: run 1 task']] : [:])
    }
}
