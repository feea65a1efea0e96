import harness.*
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.*
import org.junit.rules.TemporaryFolder

/**
 * The real Jenkinsfile.example with a real shell, the launch script, the command line, and an embedded AWS with real
 * containers: a build of the team's image, its canary, its promotion. Only Jenkins itself is the harness.
 */
class EndToEndTest {
    static final File EXAMPLE = new File('Jenkinsfile.example')
    static Production production
    @Rule public TemporaryFolder folder = new TemporaryFolder()
    CpsHarness h
    RealSh agent
    File workspace
    Map started
    Map atTheGate

    @BeforeClass static void open() { production = new Production() }
    @AfterClass static void close() { production.close() }

    private void service(String variant, Map canary = [:]) {
        workspace = folder.newFolder('workspace')
        started = (Map) production.ask(do: 'start', folder: workspace.path, variant: variant, canary: canary)
        build(7)
    }
    private void build(int number) {
        h = new CpsHarness([new File('.')])
        agent = new RealSh(h, workspace)
        agent.agent.putAll(started.environment + [HOME: folder.root.path, PATH: new File('.cache/venv/bin').absolutePath + ':' + System.getenv('PATH')])
        String url = "http://ci/job/shop/${number}/"
        h.variables.env.putAll([BUILD_NUMBER: number.toString(), JOB_URL: 'http://ci/job/shop/', BUILD_URL: url, BUILD_TAG: 'jenkins-shop-' + number])
        h.build.number = number
        h.variables.scm = 'git'
        h.steps.input = { StepCall c -> atTheGate = [question: c.named, answers: answers(), state: state()]; [APPROVER: 'jane', COMMENT: ''] }
    }
    private String run() { new Declarative(h).build(EXAMPLE) }
    private String getDescribed() { LibraryTestCase.withoutPages(h.build.description) }
    private Map answers() { (Map) production.ask(do: 'answers', seconds: 2) }
    private Map state() { (Map) production.ask(do: 'state') }
    private String log() { "\n${h.failure}\n${h.callStack.readLines()*.take(200).join('\n')}\n" + agent.log.join('\n') }

    /** All answers are of one version, no request was lost, and nothing is left beside the service. */
    private void serves(String version) {
        assert answers().keySet() == [version] as Set : log()
        assert state().subMap(['canaries', 'deployments', 'strangers']) == [canaries: 0, deployments: 1, strangers: []] : log()
        assert production.ask(do: 'end').failed == [] : log()
    }

    @Test void approved() {
        service('v2')
        assert run() == 'SUCCESS' : log()
        Map shares = atTheGate.answers
        assert shares.keySet() == ['v1', 'v2'] as Set
        BigDecimal share = shares.v2 / (shares.v1 + shares.v2)
        assert share > 0.2 && share < 0.5 : shares
        assert atTheGate.state.canaries == 1
        assert atTheGate.question.message ==~ /Promote \d{8}-\d{6}\S* to ${started.service}\/${started.service}\?/
        String shown = atTheGate.question.parameters[0].description
        assert shown =~ /^33.3 % of the traffic since \d{4}-\d\d-\d\d \d\d:\d\d UTC\n/ && shown =~ /revision \S+:2, image sha256:\w{12}/ : shown
        assert agent.published.keySet() == ['TEST-ecs-pipeline-canary.xml', 'TEST-ecs-pipeline-promote.xml'] as Set
        assert agent.published.values()*.values().flatten().every { it in ['passed', 'skipped'] } : agent.published
        assert ['preflight', 'image', 'task-definition', 'tasks', 'healthy', 'traffic', 'bake'].every { agent.published['TEST-ecs-pipeline-canary.xml'][it] == 'passed' }
        assert state().marks.release == h.variables.env.ECS_RELEASE && state().marks.values().contains('jane') : state()
        assert described == "${started.service} stg: ${h.variables.env.ECS_RELEASE} promoted, approved by jane"
        serves('v2')
    }
    @Test void rejected() {
        service('v2')
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        undone()
    }
    /** The config in a folder, the keys in credentials, the region in an environment block; gate and post are outside of the folder. */
    @Test void inAFolderWithCredentials() {
        service('v2')
        production.ask(do: 'config', folder: new File(workspace, 'deploy').with { mkdirs(); path }, variant: 'v2')
        new File(workspace, 'ecs-pipeline.yml').delete()
        Map agents = agent.agent
        Map<String, String> keys = agents.findAll { k, v -> k in ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] }
        String region = agents.AWS_DEFAULT_REGION ?: agents.AWS_REGION
        agents.keySet().removeAll(keys.keySet() + ['AWS_DEFAULT_REGION', 'AWS_REGION'])
        h.steps.withCredentials = { StepCall c -> h.withEnv(keys) { h.runBody(c.body) } }
        h.steps.input = { StepCall c -> atTheGate = [state: state()]; throw new FlowInterruptedException() }
        File pipeline = folder.newFile()
        pipeline.text = """@Library('ecs-pipeline') _
            def withKeys(Closure body) {
                withCredentials([usernamePassword(credentialsId: 'aws', usernameVariable: 'AWS_ACCESS_KEY_ID', passwordVariable: 'AWS_SECRET_ACCESS_KEY')]) { body() }
            }
            pipeline {
                agent none
                environment { AWS_DEFAULT_REGION = '${region}' }
                stages {
                    stage('Canary') {
                        agent any
                        steps { dir('deploy') { withKeys { ecsCanary environment: 'stg' } } }
                    }
                    stage('Approve') { steps { ecsApprove environment: 'stg', rollback: false } }
                }
                post { aborted { withKeys { ecsRollback environment: 'stg' } } }
            }
        """
        assert new Declarative(h).build(pipeline) == 'ABORTED' : log()
        assert atTheGate.state.canaries == 1
        assert agent.archived.every { it ==~ /ecs-pipeline-reports\/stg-deploy-\w{5}\/.*/ } && agent.archived.any { it.endsWith('/canary.html') }
        assert agent.published.keySet() == ['TEST-ecs-pipeline-canary.xml', 'TEST-ecs-pipeline-rollback.xml'] as Set : log()
        serves('v1')
    }
    @Test void timedOut() {
        service('v2')
        h.steps.timeout = { StepCall c -> throw new FlowInterruptedException() }
        undone()
    }
    private void undone() {
        assert run() == 'ABORTED' : log()
        assert agent.published.keySet() == ['TEST-ecs-pipeline-canary.xml', 'TEST-ecs-pipeline-rollback.xml'] as Set : log()
        assert agent.published['TEST-ecs-pipeline-rollback.xml'].values().every { it in ['passed', 'skipped'] }
        assert described =~ / rolled back \(not approved( in time)?\)$/ && state().revisions.size() == 1
        serves('v1')
    }
    @Test void abortedInTheMiddle() {
        service('v2', [bake: '120s'])
        abortAfter('canary', 'traffic')
        assert run() == 'ABORTED' : log()
        assert agent.aborted
        assert !agent.published.containsKey('TEST-ecs-pipeline-canary.xml') && agent.archived.any { it.endsWith('/TEST-ecs-pipeline-canary.xml') }
        assert report('canary').outcome == 'interrupted' && report('canary').failed_step == 'bake' : log()
        assert described.endsWith(' rolled back (aborted)')
        assert agent.published['TEST-ecs-pipeline-rollback.xml'].drain == 'passed'
        serves('v1')
    }
    @Test void abortedInThePromotion() {
        service('v2')
        abortAfter('promote', 'service-update')
        assert run() == 'ABORTED' : log()
        assert agent.aborted && report('promote').steps.find { it.name == 'service-update' }.outcome == 'passed'
        assert agent.published['TEST-ecs-pipeline-rollback.xml']['service-update'] == 'passed' : log()
        serves('v1')
    }
    /** Somebody rolls the canary back and starts the same release again while the approver reads. */
    @Test void aCanaryThatWasReplacedAtTheGateIsNotPromoted() {
        service('v2')
        h.steps.input = { StepCall c ->
            commandLine('rollback', '--release', 'r1')
            commandLine('canary', '--release', 'r1')
            atTheGate = [state: state()]
            [APPROVER: 'jane', COMMENT: '']
        }
        assert scripted("ecsDeploy(environment: 'stg', release: 'r1')") == 'FAILURE' : log()
        String name = "${started.service}/${started.service}"
        assert h.failure.message =~ /^preflight: release r1 of ${name} lives in epoch \w{12} now, not 0: a rollback came since it was approved; have what lives approved \(ecs-pipeline promote, exit 3\)$/ : h.failure
        assert described =~ /: r1 rolled back/ && atTheGate.state.canaries == 1
        serves('v1')
    }
    private void commandLine(String... arguments) {
        List<String> command = [new File('.cache/venv/bin/ecs-pipeline').absolutePath] + arguments.toList() + ['--environment', 'stg', '--reports', folder.newFolder().path]
        ProcessBuilder pb = new ProcessBuilder(command).directory(workspace).redirectErrorStream(true)
        pb.environment().putAll(agent.agent)
        Process p = pb.start()
        String said = p.inputStream.getText('UTF-8')
        assert p.waitFor() == 0 : said
    }
    private void abortAfter(String stage, String step) {
        agent.aborting = { report(stage)?.steps?.any { it.name == step && it.outcome == 'passed' } }
    }
    private Map report(String stage) {
        String folder = h.loader.loadClass('ecspipeline.Target').reports([environment: 'stg'])
        File file = new File(workspace, "${folder}/${stage}.json")
        file.exists() ? (Map) new groovy.json.JsonSlurper().parse(file) : null
    }
    @Test void canaryFailing() {
        service('crash')
        assert run() == 'FAILURE' : log()
        assert h.failure.message =~ /exit(ed with)?( code)? 3/ && h.failure.message.endsWith('(ecs-pipeline canary, exit 1)') : h.failure.message
        assert h.failure.message.startsWith('tasks: ' + agent.firstLines['TEST-ecs-pipeline-canary.xml'].readLines()[0]) : agent.firstLines
        assert agent.published.keySet() == ['TEST-ecs-pipeline-canary.xml'] as Set && agent.published.values()[0].restore == 'passed'
        serves('v1')
    }
    /** Requests that the dying task had are lost, so they are not counted here. */
    @Test void aCanaryThatDiesAtTheGateClosesIt() {
        service('v2')
        h.steps.parallel = { StepCall c -> // nobody answers: the watch has all the time
            int id = h.hold(c.first)
            production.ask(do: 'stop_canary')
            h.runBody((Closure) ((Map) h.held(id)).watch)
        }
        assert run() == 'FAILURE' : log()
        assert h.failure.message.contains("no canary lives at ${started.service}/${started.service}") : log()
        assert agent.published.keySet() == ['canary', 'judge', 'rollback'].collect { "TEST-ecs-pipeline-${it}.xml".toString() } as Set
        assert state().subMap(['canaries', 'deployments', 'strangers', 'revisions']) == [canaries: 0, deployments: 1, strangers: [], revisions: [1]] : log()
        assert answers().keySet() == ['v1'] as Set
        production.ask(do: 'end')
    }
    private String scripted(String text) {
        File file = folder.newFile()
        file.text = text
        return h.build(file)
    }
    @Test void aDryRunTellsItsPlanAndLeavesNothing() {
        service('v2')
        assert scripted("node { echo(ecsCanary(environment: 'stg', dryRun: true).plan.join('|')) }") == 'SUCCESS' : log()
        List<String> said = h.calls.findAll { it.name == 'echo' }*.first*.toString()
        assert said[0].startsWith("ecsCanary: dry run of ${started.service}/${started.service}: this would be done\n  ") && said[1].split('\\|').length > 2 : said
        assert !agent.published && !agent.archived && state().canaries == 0
        serves('v1')
    }
    @Test void inOneStepUnderTheLockOfTheService() {
        service('v2')
        assert scripted("ecsDeploy(environment: 'stg', approve: false)") == 'SUCCESS' : log()
        String region = started.environment.AWS_REGION ?: started.environment.AWS_DEFAULT_REGION
        assert h.calls.find { it.name == 'lock' }.named.resource == "ecs:${region}/${started.service}/${started.service}"
        assert described ==~ /\S+ stg: \S+ promoted/
        serves('v2')
    }
    /** A controller that is killed runs no post: the next build of the job resolves what it left. */
    @Test void leftByAKilledBuild() {
        service('v2')
        File canaryOnly = folder.newFile()
        canaryOnly.text = "node { ecsCanary(environment: 'stg', release: 'left') }"
        assert h.build(canaryOnly) == 'SUCCESS' : log()
        production.ask(do: 'config', folder: workspace.path, variant: 'v3')
        build(8)
        h.build.previousBuild = new Build(number: 7, result: 'ABORTED')
        assert run() == 'SUCCESS' : log()
        assert h.calls.any { it.name == 'echo' && it.toString().contains('release left was left by http://ci/job/shop/7/') }
        assert agent.published['TEST-ecs-pipeline-canary.xml'].preflight == 'passed'
        serves('v3')
    }
}
