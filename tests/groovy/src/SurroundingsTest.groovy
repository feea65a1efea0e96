import harness.*
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.*
import org.junit.rules.TemporaryFolder

/** The steps inside of what people put around them, with a real shell and the real launch script: what the command sees. */
class SurroundingsTest {
    static final String API = "cluster: 'shop', service: 'api', image: 'x:1'"
    @Rule public TemporaryFolder folder = new TemporaryFolder()
    CpsHarness h
    RealSh agent
    StandIn cli
    File workspace

    @Before void newBuild() {
        workspace = folder.newFolder()
        h = new CpsHarness([new File('.')])
        agent = new RealSh(h, workspace)
        cli = new StandIn(agent, folder.newFolder(), '0.1.0')
        h.variables.env.putAll([BUILD_NUMBER: '7', JOB_URL: 'http://ci/job/shop/', BUILD_URL: 'http://ci/job/shop/7/', BUILD_TAG: 'jenkins-shop-7'])
        h.build.number = 7
        h.variables.scm = 'git'
        h.steps.input = { StepCall c -> [APPROVER: 'jane', COMMENT: ''] }
        h.steps.withAWS = { StepCall c -> h.withEnv(awsSettings(c.named)) { h.runBody(c.body) } }
        h.steps.withCredentials = { StepCall c -> h.withEnv(((List) c.first).collectMany { bound((Map) it) }.collectEntries()) { h.runBody(c.body) } }
    }
    /** As pipeline-aws-plugin's WithAWSStep sets them. */
    private static Map<String, String> awsSettings(Map given) {
        Map<String, String> all = [:]
        if (given.credentials) { all += [AWS_ACCESS_KEY_ID: 'AKIAJENKINS', AWS_SECRET_ACCESS_KEY: 'secret of jenkins'] }
        if (given.region) { all += [AWS_DEFAULT_REGION: given.region, AWS_REGION: given.region] }
        if (given.role) { all += [AWS_ACCESS_KEY_ID: 'ASIAROLE', AWS_SECRET_ACCESS_KEY: 'secret of role', AWS_SESSION_TOKEN: 'token'] }
        return all
    }
    private static List<Map> bound(Map binding) {
        if (binding.$class == 'AmazonWebServicesCredentialsBinding') {
            return [[(binding.accessKeyVariable ?: 'AWS_ACCESS_KEY_ID'): 'AKIABOUND'], [(binding.secretKeyVariable ?: 'AWS_SECRET_ACCESS_KEY'): 'secret of binding']]
        }
        return [[(binding.usernameVariable): 'AKIAUSER'], [(binding.passwordVariable): 'secret of user']]
    }
    private String key(Map parameters) { h.loader.loadClass('ecspipeline.Target').key(parameters) }
    private File file(String text) { File f = folder.newFile(); f.text = text; f }
    private String scripted(String text) { h.build(file(text)) }
    private String declarative(String text) { new Declarative(h).build(file(text)) }
    private List<StepCall> calls(String name) { h.calls.findAll { it.name == name } }
    private static Map aws(Map run) { run.findAll { k, v -> k.startsWith('AWS_') } }
    private void tellsNoSecret() {
        assert !agent.log.any { it.contains('secret of') }
        assert h.calls.findAll { it.name in ['sh', 'echo', 'withEnv', 'writeFile'] }.every { !it.toString().contains('secret of') }
        assert !workspace.parentFile.listFiles().findAll { it.name.startsWith(workspace.name) }.any { File root -> root.directory && root.eachFileRecurse(groovy.io.FileType.FILES) { File f -> assert !f.text.contains('secret of') : f } }
    }

    // ---- credentials and regions

    @Test void withAwsAroundAStep() {
        assert scripted("node { withAWS(region: 'eu-west-1', credentials: 'deploy') { ecsCanary(${API}) } }") == 'SUCCESS' : h.failure
        assert aws(cli.run('canary')) == [AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKIAJENKINS', AWS_SECRET_ACCESS_KEY: 'secret of jenkins']
        tellsNoSecret()
    }
    @Test void withAwsAroundTheWholeStoryAndItsRollback() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert declarative("""pipeline {
            agent none
            stages { stage('Deploy') { steps { withAWS(region: 'eu-west-1', role: 'deploy', roleAccount: '123456789012', duration: 3600) { ecsDeploy ${API} } } } }
        }""") == 'ABORTED' : h.failure
        assert cli.commands == ['status', 'canary', 'rollback']
        assert cli.runs.every { aws(it).AWS_SESSION_TOKEN == 'token' && aws(it).AWS_ACCESS_KEY_ID == 'ASIAROLE' && aws(it).AWS_REGION == 'eu-west-1' }
        tellsNoSecret()
    }
    @Test void withCredentialsOfBothKinds() {
        assert scripted("""node {
            withCredentials([usernamePassword(credentialsId: 'aws', usernameVariable: 'AWS_ACCESS_KEY_ID', passwordVariable: 'AWS_SECRET_ACCESS_KEY')]) { ecsCanary(${API}) }
            withCredentials([[\$class: 'AmazonWebServicesCredentialsBinding', credentialsId: 'aws']]) { ecsPromote(${API - ", image: 'x:1'"}) }
        }""") == 'SUCCESS' : h.failure
        assert aws(cli.run('canary')) == [AWS_ACCESS_KEY_ID: 'AKIAUSER', AWS_SECRET_ACCESS_KEY: 'secret of user']
        assert aws(cli.run('promote')) == [AWS_ACCESS_KEY_ID: 'AKIABOUND', AWS_SECRET_ACCESS_KEY: 'secret of binding']
        tellsNoSecret()
    }
    @Test void anEnvironmentBlock() {
        assert declarative("""pipeline {
            agent none
            environment { AWS_DEFAULT_REGION = 'ap-northeast-1' }
            stages {
                stage('Canary') { agent any
                    steps { ecsCanary ${API} } }
                stage('Promote') { environment { AWS_DEFAULT_REGION = 'eu-west-1'; AWS_PROFILE = 'prd' }
                    steps { ecsPromote ${API - ", image: 'x:1'"} } }
            }
        }""") == 'SUCCESS' : h.failure
        assert aws(cli.run('canary')) == [AWS_DEFAULT_REGION: 'ap-northeast-1']
        assert aws(cli.run('promote')) == [AWS_DEFAULT_REGION: 'eu-west-1', AWS_PROFILE: 'prd']
    }
    @Test void aContainerOnTheNodeThatIsThere() {
        assert declarative("""pipeline {
            agent any
            stages { stage('Canary') {
                agent { docker { image 'python:3.12-slim'
                    reuseNode true } }
                steps { ecsCanary ${API} }
            } }
            post { failure { ecsRollback ${API - ", image: 'x:1'"} } }
        }""") == 'SUCCESS' : h.failure
        assert calls('node').size() == 1 && calls('checkout').empty && cli.run('canary').folder == workspace.path
        assert cli.run('canary').ECS_PIPELINE_LAUNCH == "${workspace}@tmp/ecs-pipeline-canary-${key(cluster: 'shop', service: 'api')}/launch" : 'the only other folder that the container has'
    }

    // ---- dir

    private void sources(String... places) { places.each { File f = new File(workspace, it); f.parentFile.mkdirs(); f.text = 'app: x\n' } }

    @Test void dirLeadsToTheConfigAndTheReports() {
        sources('deploy/ecs-pipeline.yml')
        assert scripted("node { dir('deploy') { ecsCanary(environment: 'prd') } }") == 'SUCCESS' : h.failure
        assert cli.run('canary').subMap(['folder', 'config']) == [folder: "${workspace}/deploy".toString(), config: 'found']
        assert agent.published.keySet() == ['TEST-ecs-pipeline-canary.xml'] as Set
        assert agent.archived == ["ecs-pipeline-reports/${key(environment: 'prd', folder: 'deploy')}/canary.json".toString()] as Set
        assert new File(workspace, 'deploy').list() as Set == ['ecs-pipeline.yml', 'ecs-pipeline-reports'] as Set
        assert workspace.list() == ['deploy'] : 'the command itself lies beside the workspace'
    }
    @Test void aConfigAboveTheFolder() {
        sources('ecs-pipeline.yml')
        scripted("node { dir('deploy') { ecsCanary(config: '../ecs-pipeline.yml') } }")
        assert agent.published.keySet() == ['TEST-ecs-pipeline-canary.xml'] as Set && agent.archived.every { it.startsWith('ecs-pipeline-reports/') }
        newBuild()
        scripted("node { ecsCanary(config: '../../ecs-pipeline.yml') }")
        assert agent.published && agent.archived.every { it ==~ /ecs-pipeline-reports\/[\w-]*\/?[\w-]+\.\w+/ }
    }
    @Test void whatFollowsOutsideOfTheFolderGoesThere() {
        sources('deploy/ecs-pipeline.yml')
        String text = """pipeline {
            agent none
            stages {
                stage('Canary') { agent any
                    steps { dir('deploy') { ecsCanary environment: 'prd' } } }
                stage('Approve') { steps { ecsApprove environment: 'prd' } }
                stage('Promote') { agent any
                    steps { dir('deploy') { ecsPromote environment: 'prd' } } }
            }
            post { aborted { ecsRollback environment: 'prd' } }
        }"""
        assert declarative(text) == 'SUCCESS' : h.failure
        assert cli.commands == ['canary', 'promote'] && cli.runs.every { it.config == 'found' }
        assert groovy.json.JsonOutput.toJson(h.variables.env.findAll { k, v -> k.toString().startsWith('ECS_PIPELINE_STATE') }).contains('jane')
        assert LibraryTestCase.withoutPages(h.build.description) == 'deploy prd: r1 promoted, approved by jane'
        newBuild()
        sources('deploy/ecs-pipeline.yml')
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert declarative(text) == 'ABORTED'
        assert cli.commands == ['canary', 'rollback'] && cli.runs.every { it.config == 'found' && it.folder == "${workspace}/deploy".toString() }
    }
    @Test void servicesInFoldersOfOneBuildAreKeptApart() {
        sources('services/api/ecs-pipeline.yml', 'services/web/ecs-pipeline.yml')
        Closure branch = { "node { dir('services/${it}') { ecsDeploy(environment: 'prd', lock: false) } }" }
        assert scripted("parallel(api: { ${branch('api')} }, web: { ${branch('web')} })") == 'SUCCESS' : h.failure
        assert cli.runs*.folder*.minus("${workspace}/services/") == ['api', 'api', 'web', 'web']
        assert calls('input')*.named*.id*.replaceAll(/-\w{5}$/, '') == ['Ecs-approve-prd-services-api', 'Ecs-approve-prd-services-web']
        assert LibraryTestCase.withoutPages(h.build.description) == 'services api prd: r1 promoted, approved by jane; services web prd: r1 promoted, approved by jane'
        assert agent.archived.collect { new File(it).parent } as Set == ['api', 'web'].collect { "ecs-pipeline-reports/${key(environment: 'prd', folder: 'services/' + it)}".toString() } as Set
    }
    @Test void aServiceAtTheTopIsNotThatOfAFolder() {
        sources('ecs-pipeline.yml', 'web/ecs-pipeline.yml')
        assert scripted("node { dir('web') { ecsCanary() }; ecsCanary(); ecsPromote(); dir('web') { ecsPromote() } }") == 'SUCCESS' : h.failure
        assert cli.runs*.folder == [workspace.path + '/web', workspace.path, workspace.path, workspace.path + '/web']
        assert !calls('echo').any { it.toString().contains('going on with release') }
    }

    // ---- versions

    /** A library of another version: the same steps, another package. */
    private File anotherVersion() {
        File library = folder.newFolder()
        ['vars', 'src/ecspipeline', 'resources/ecs_pipeline'].each { String part ->
            File to = new File(library, part)
            to.mkdirs()
            new File(part).eachFile { new File(to, it.name).bytes = it.bytes }
        }
        File launch = new File(library, 'resources/ecs_pipeline/launch')
        launch.setText(launch.getText('ISO-8859-1').replace('version=0.1.0', 'version=9.9.9'), 'ISO-8859-1') // the archive after it stays
        return library
    }
    @Test void eachVersionBringsItsOwnPackage() {
        File other = anotherVersion()
        scripted("node { ecsCanary(${API}) }")
        File laid = new File("${workspace}@tmp/ecs-pipeline-canary-${key(cluster: 'shop', service: 'api')}")
        byte[] first = new File(laid, 'launch').bytes
        Map env = new HashMap(h.variables.env)
        h = new CpsHarness([other])
        RealSh same = new RealSh(h, workspace)
        StandIn newer = new StandIn(same, folder.newFolder(), '9.9.9')
        h.variables.env.putAll(env)
        assert scripted("node { ecsPromote(cluster: 'shop', service: 'api') }") == 'SUCCESS' : h.failure
        assert newer.commands == ['promote'] : 'the launch script of 9.9.9 takes 9.9.9'
        File beside = new File("${workspace}@tmp/ecs-pipeline-promote-${key(cluster: 'shop', service: 'api')}")
        assert new File(laid, 'launch').bytes == first && first == new File('resources/ecs_pipeline/launch').bytes
        assert new File(beside, 'launch').bytes == new File(other, 'resources/ecs_pipeline/launch').bytes
    }
    @Test void twoNamesForTheLibraryAreToldApart() {
        h.steps.libraryResource = { StepCall c -> throw new hudson.AbortException("Library resource ${c.named.resource} ambiguous among libraries [ecs, ecs-pipeline]") }
        assert scripted("node { ecsCanary(${API}) }") == 'FAILURE'
        assert h.failure.message == 'this build loads ecs-pipeline by two library names: load one of them ' +
            '(Library resource ecs_pipeline/launch ambiguous among libraries [ecs, ecs-pipeline])'
        assert cli.runs.empty
    }
    /** Two versions share the classes' names, two builds of one version their classes: nothing may be kept there, nor in a global variable. */
    @Test void noClassOfTheLibraryKeepsState() {
        List<Class> all = new File('vars').list().findAll { it.endsWith('.groovy') }.collect { h.loader.loadClass(it - '.groovy') } +
            new File('src/ecspipeline').list().collect { h.loader.loadClass('ecspipeline.' + (it - '.groovy')) }
        all.each { Class c ->
            c.declaredFields.findAll { !it.synthetic && !it.name.startsWith('__') && !it.name.contains('$') }.each { f ->
                boolean ofTheClass = java.lang.reflect.Modifier.isStatic(f.modifiers)
                assert ofTheClass ? java.lang.reflect.Modifier.isFinal(f.modifiers) : c.name.startsWith('ecspipeline.') : f
            }
        }
    }
}
