import harness.*
import org.junit.Test

/** Each step that runs one command: what it hands over, what it returns, what it publishes, how the build ends. */
class StagesTest extends LibraryTestCase {
    static final String REPORTS = 'ecs-pipeline-reports/' + new CpsHarness([new File('.')]).loader.loadClass('ecspipeline.Target').key([cluster: 'shop', service: 'api'])
    static final String CALL = "ecsCanary(cluster: 'shop', service: 'api', image: 'x:1')"

    @Test void handsItsParametersOver() {
        Map result = h.callGlobal('ecsCanary', [cluster: 'shop', service: 'api', image: "x:${1}", roleArn: 'arn:r', dryRun: false, release: 'r9', region: '', config: null]) as Map
        assert result.release.id == 'r9' && result.canary.share == 25.0 && result.exit_code == 0
        assert cli.options('canary') == [cluster: 'shop', service: 'api', image: 'x:1', role_arn: 'arn:r', dry_run: false, release: 'r9', reports: REPORTS]
    }
    @Test void tellsTheReleaseInTheBuild() {
        assert scripted(CALL) == 'SUCCESS'
        assert env().ECS_RELEASE == 'r1' && env().ECS_RELEASE_API == 'r1'
        assert described == 'api shop: r1 canary takes 25 %'
    }
    @Test void theDescriptionHasTheAddressOfTheReleasesPageWhereThereIsOne() {
        scripted("node { ecsCanary(cluster: 'shop', service: 'api'); ecsPromote(cluster: 'shop', service: 'api') }")
        String page = "http://ci/job/shop/7/artifact/${REPORTS}/release.html"
        assert h.build.description == "api shop: r1 promoted, report: ${page}"
        assert calls('archiveArtifacts').last().named.artifacts.contains("${REPORTS}/release.html")
        newBuild()
        cli.answers.canary = { [2, [release: [id: ''], message: 'no such image', outcome: 'refused']] }
        scripted(CALL)
        assert h.build.description == 'api shop: not started: no such image'
        newBuild()
        env().remove('BUILD_URL')
        scripted(CALL)
        assert h.build.description == 'api shop: r1 canary takes 25 %'
    }
    @Test void servicesInParallelKeepTheirOwnReleases() {
        cli.answers.canary = { Map o -> [0, [release: [id: 'r-' + o.service]]] }
        assert scripted('''
            parallel(api: { node { ecsCanary(service: 'api', cluster: 'c'); } }, web: { node { ecsCanary(service: 'web', cluster: 'c') } })
            node { ecsPromote(service: 'api', cluster: 'c'); ecsPromote(service: 'web', cluster: 'c') }''') == 'SUCCESS'
        assert cli.allOptions('promote')*.release == ['r-api', 'r-web']
        assert env().ECS_RELEASE_API == 'r-api' && env().ECS_RELEASE_WEB == 'r-web'
        assert cli.allOptions('canary')*.reports*.replaceAll(/-\w{5}$/, '') == ['ecs-pipeline-reports/api-c', 'ecs-pipeline-reports/web-c']
        assert described == 'api c: r-api promoted; web c: r-web promoted'
    }
    @Test void regionsAndConfigsOfOneServiceAreKeptApart() {
        scripted('''node { ecsCanary(service: 'api', region: 'eu-west-1'); ecsCanary(service: 'api', region: 'us-east-1')
            ecsCanary(config: './services/web/ecs-pipeline.yml'); ecsCanary(config: 'b.yml'); ecsCanary() }''')
        assert cli.allOptions('canary')*.reports*.replaceAll(/-\w{5}$/, '') == ['api-eu-west-1', 'api-us-east-1', 'services-web', 'b'].collect { "ecs-pipeline-reports/${it}".toString() } + ['ecs-pipeline-reports']
    }
    @Test void aFailureIsTheBuildsErrorAndFirstLine() {
        [1, 2, 3, 4].each { int code ->
            newBuild()
            cli.answers.canary = { [code, [message: 'task 1f stopped: exit 3', cure: 'correct it']] }
            assert scripted(CALL) == 'FAILURE'
            assert h.failure.message == "task 1f stopped: exit 3; correct it (ecs-pipeline canary, exit ${code})"
            assert h.failure instanceof hudson.AbortException
        }
    }
    @Test void aCommandThatDiesWithoutAReportFails() {
        cli.answers.canary = { [127, null] }
        assert scripted(CALL) == 'FAILURE'
        assert h.failure.message == 'ecs-pipeline canary ended with exit 127 and no report: the lines before this say why'
        assert !calls('junit') && !calls('archiveArtifacts')
        newBuild()
        h.steps.sh = { StepCall c -> throw new hudson.AbortException('script returned exit code 137') }
        assert scripted(CALL) == 'FAILURE' && h.failure.message == 'script returned exit code 137'
    }
    @Test void aCommandThatCannotBeStartedSaysWhy() {
        cli.answers.canary = { [4, null, 'no Python 3.10 or newer: install one'] }
        assert scripted(CALL) == 'FAILURE'
        assert h.failure.message == 'no Python 3.10 or newer: install one (ecs-pipeline canary, exit 4)'
        assert described == 'api shop: release canary in trouble: no Python 3.10 or newer: install one'
    }
    @Test void inconclusiveChecksMakeItUnstableAndGoOn() {
        cli.answers.canary = { [5, [message: 'check answers had no data']] }
        assert scripted("def r = ${CALL}; echo \"and on with \${r.outcome}\"") == 'UNSTABLE'
        assert echoes.contains('and on with inconclusive')
        assert unstable == ['check answers had no data; do something (ecs-pipeline canary, exit 5)']
        assert described == 'api shop: r1 canary takes 25 %, inconclusive: check answers had no data'
    }
    @Test void anAbortIsPublishedAndStaysAnAbort() {
        cli.answers.canary = { [143, [message: 'interrupted during bake']] }
        assert scripted(CALL) == 'ABORTED'
        assert calls('archiveArtifacts') && !calls('junit') : 'a case that nobody failed is no failed test'
        assert described == 'api shop: r1 canary aborted'
    }
    @Test void whatGoesWrongAfterAnAbortDoesNotHideIt() {
        cli.answers.canary = { [143, [message: 'interrupted during bake']] }
        h.steps.archiveArtifacts = { StepCall c -> throw new IOException('channel is closed') }
        assert scripted(CALL) == 'ABORTED'
        assert echoes.last() == 'ecs-pipeline canary: its reports are not published: channel is closed'
        newBuild()
        cli.answers.canary = { [143, [:]] }
        h.steps.readFile = { StepCall c -> throw new IOException('agent went offline') }
        assert scripted(CALL) == 'ABORTED'
    }
    @Test void whatIsNotPublishedIsNotForgotten() {
        h.steps.junit = { StepCall c -> throw new IOException('no space left') }
        assert scripted("node { try { ${CALL} } catch (e) { echo e.message }; ecsRollback(cluster: 'shop', service: 'api') }") == 'FAILURE' : 'the rollback publishes, too'
        assert cli.options('rollback').subMap(['release', 'canary']) == [release: 'r1', canary: true] && env().ECS_RELEASE == 'r1'
    }
    @Test void publishesReports() {
        scripted(CALL)
        assert calls('junit')*.named == [[testResults: REPORTS + '/TEST-ecs-pipeline-canary.xml', allowEmptyResults: true, skipPublishingChecks: true,
                                          skipMarkingBuildUnstable: true, keepProperties: true, keepLongStdio: true]]
        assert calls('archiveArtifacts')*.named == [[artifacts: ['release.html', 'index.html', '*.css', 'canary.html', 'canary.json', 'canary-*.svg'].collect { REPORTS + '/' + it }.join(','),
                                                     allowEmptyArchive: true, followSymlinks: false]]
    }
    /** Each publishHTML adds a link, also under the same name: one is made, once the release has come to its end in this build. */
    @Test void oneLinkToThePageOfTheRelease() {
        Closure links = { calls('publishHTML')*.named*.target }
        scripted("node { ${CALL}; ecsPromote(cluster: 'shop', service: 'api') }")
        assert links()*.subMap(['reportName', 'reportDir', 'reportFiles']) == [[reportName: 'ECS api shop', reportDir: REPORTS, reportFiles: 'release.html,index.html']]
        newBuild()
        scripted("node { ${CALL} }")
        assert links() == [] : 'the promotion or the rollback comes'
        newBuild()
        cli.answers.canary = { [1, [:]] }
        scripted("node { try { ${CALL} } finally { ecsRollback(cluster: 'shop', service: 'api') } }")
        assert links().size() == 1
        newBuild()
        cli.answers.canary = { [4, [:]] }
        scripted("node { try { ${CALL} } finally { ecsRollback(cluster: 'shop', service: 'api') } }")
        assert links().size() == 1
    }
    /** What Pipeline Overview shows of one command. */
    @Test void aCommandIsFewNodes() {
        scripted("node { ${CALL} }\nnode { ecsPromote(cluster: 'shop', service: 'api') }")
        List<String> all = h.calls*.name - 'node'
        List<String> command = ['libraryResource', 'writeFile', 'withEnv', 'sh', 'readFile', 'echo', 'junit', 'archiveArtifacts']
        assert all == command + command + ['publishHTML']
    }
    @Test void aFailedCommandIsRed() {
        [1: 'AbortException', 2: 'AbortException', 3: 'AbortException', 4: 'AbortException', 0: null, 5: null].each { int code, String thrown ->
            newBuild()
            cli.answers.canary = { [code, [:]] }
            Closure run = h.steps.sh
            String seen = null
            h.steps.sh = { StepCall c -> try { run.call(c) } catch (Exception e) { seen = e.class.simpleName; throw e } }
            scripted(CALL)
            assert seen == thrown : code
        }
    }
    @Test void theFailedStepIsNamed() {
        cli.answers.canary = { [1, [message: 'the canary task stopped: exit code 3', failed_step: 'tasks', cure: 'correct it']] }
        assert scripted(CALL) == 'FAILURE' && h.failure.message == 'tasks: the canary task stopped: exit code 3; correct it (ecs-pipeline canary, exit 1)'
        assert described == 'api shop: r1 failed and was rolled back: tasks: the canary task stopped: exit code 3'
    }
    @Test void theDescriptionSaysWhatHappened() {
        Map<String, List> said = [
            'r1 canary takes 25 %': ['canary', 0, [:]], 'not started: no cluster shop': ['canary', 2, [message: 'no cluster shop']],
            'refused: release r0 holds it': ['canary', 3, [message: 'release r0 holds it']], 'r1 canary in trouble: throttled': ['canary', 4, [message: 'throttled']],
            'r1 promoted': ['promote', 0, [:]], 'r1 not promoted, rolled back: stable: circuit breaker': ['promote', 1, [message: 'circuit breaker', failed_step: 'stable']],
            'r1 not promoted: no verdict yet': ['promote', 3, [message: 'no verdict yet']], 'r1 promotion in trouble: throttled': ['promote', 4, [message: 'throttled']],
            'r1 promotion aborted': ['promote', 143, [:]], 'r1 not rolled back: throttled, the next run resolves it': ['rollback', 4, [message: 'throttled']],
        ]
        said.each { String text, List how ->
            newBuild()
            cli.answers[how[0]] = { [how[1], how[2]] }
            scripted("node { ${how[0] == 'rollback' ? "ecsRollback(service: 'api', release: 'r1')" : CALL}; ${how[0] == 'promote' ? "ecsPromote(cluster: 'shop', service: 'api')" : ''} }")
            assert described == 'api shop: ' + text
        }
    }
    @Test void theServiceIsNamedAsItWasResolved() {
        cli.answers.canary = { [0, [cluster: 'shop-prd', service: 'api']] }
        cli.answers.promote = { [0, [cluster: 'shop-prd', service: 'api']] }
        scripted("node { ecsCanary(environment: 'prd'); ecsPromote(environment: 'prd') }")
        assert described == 'api prd: r1 promoted' && env().ECS_RELEASE_API == 'r1'
        assert calls('publishHTML')*.named*.target*.reportName == ['ECS api prd']
        assert calls('sh')*.named*.label == ['ecs-pipeline canary prd', 'ecs-pipeline promote api prd']
    }
    @Test void twoServicesNeverShareALabel() {
        cli.answers.canary = { Map o -> [0, [cluster: "shop-${o.config[0]}".toString(), service: 'api', region: o.config[0] == 'a' ? 'eu-west-1' : 'us-east-1']] }
        scripted("node { ecsCanary(environment: 'prd', config: 'a.yml'); ecsCanary(environment: 'prd', config: 'b.yml') }")
        assert described == 'api prd: r1 canary takes 25 %; api prd shop-b us-east-1: r1 canary takes 25 %'
    }
    /** Parameters that a name made of letters, digits and dashes would mix up. */
    @Test void namesThatTwoServicesCouldShareDiffer() {
        List<Map> all = [[cluster: 'shop', service: 'eu-prd'], [cluster: 'shop-eu', service: 'prd'], [service: 'shop', environment: 'eu-prd'], [service: 'api.v2'], [service: 'api-v2'],
                         [service: 'API_v2'], [service: 'api_v2'], [environment: 'api-v2'], [config: 'api-v2.yml'], [environment: '..'], [service: '.', environment: '.']]
        Class target = h.loader.loadClass('ecspipeline.Target'), state = h.loader.loadClass('ecspipeline.State')
        assert (all.collect { target.reports(it) } as Set).size() == all.size() && (all.collect { state.variable(it) } as Set).size() == all.size()
        assert all.every { !(target.key(it) ==~ /\.+/) } && target.reports([:]) == 'ecs-pipeline-reports'
    }
    @Test void whatComesFromOutsideIsNoMarkupAndNoOtherServicesLine() {
        cli.answers.canary = { [3, [message: 'x; web prd: r9 approved by ceo <img onerror="y"> \u001b[2K\nFinished: SUCCESS \u202e']] }
        scripted(CALL)
        assert described.split('; ').length == 1 && described ==~ /[^<>&;"'\p{Cntrl}\u202e]+/
        assert echoes.every { !(it =~ /[\u001b\n\u202e]/) } && !(h.failure.message =~ /[\u001b\n\u202e]/)
        newBuild()
        scripted("ecsCanary(service: '<b>; web prd: x', cluster: 'shop', image: 'x')")
        assert described.split('; ').length == 1 && !described.contains('<')
    }
    @Test void worksWithoutTheHtmlPublisher() {
        h.steps.remove('publishHTML')
        assert scripted("node { ${CALL}; ecsPromote(cluster: 'shop', service: 'api') }") == 'SUCCESS'
    }
    @Test void outsideOfAnAgentItBringsOne() {
        assert scripted("ecsCanary(environment: 'prd', agent: 'linux')") == 'SUCCESS'
        assert calls('node')*.first == ['linux'] && calls('checkout').size() == 1
    }
    @Test void withoutConfigItsOwnAgentNeedsNoSources() {
        scripted(CALL)
        assert calls('node').size() == 1 && !calls('checkout')
    }
    @Test void aJobWithoutSourcesIsTold() {
        h.steps.checkout = { StepCall c -> throw new hudson.AbortException('‘checkout scm’ is only available when using “Pipeline script from SCM”') }
        assert scripted("ecsStatus(environment: 'prd')") == 'SUCCESS'
        h.variables.remove('scm')
        assert scripted("ecsStatus(environment: 'prd')") == 'SUCCESS'
        h.variables.scm = 'git'
        h.steps.checkout = { StepCall c -> throw new hudson.AbortException('no such branch') }
        assert scripted("ecsStatus(environment: 'prd')") == 'FAILURE'
    }
    @Test void itsOwnCheckoutsAreAmongTheChangesOnce() {
        scripted("ecsCanary(environment: 'prd'); ecsApprove(environment: 'prd'); ecsPromote(environment: 'prd')")
        assert calls('checkout')*.named*.subMap(['scm', 'changelog', 'poll']) == [[scm: 'git', changelog: true, poll: true], [scm: 'git', changelog: false, poll: false]]
    }
    @Test void insideOfAnAgentItUsesIt() {
        scripted("node('x') { ecsCanary(environment: 'prd', agent: 'linux') }")
        assert calls('node')*.first == ['x'] && !calls('checkout')
    }
    @Test void noValueOfAUserIsPartOfAScript() {
        String nasty = '$(touch x); `id` "\' ${HOME}\n😀'
        scripted("node { ecsCanary(cluster: params.NASTY, service: params.NASTY, image: params.NASTY, executable: params.NASTY) }".replace('params.NASTY', groovy.json.JsonOutput.toJson(nasty).replace('$', '\\$')))
        assert cli.options('canary').image == nasty
        assert cli.shells.every { StepCall c -> c.named.script.startsWith('#!/bin/sh\n') && !c.named.script.contains('touch') && !c.named.script.contains('😀') }
        assert env().findAll { k, v -> k.toString().startsWith('ECS_PIPELINE_STATE') }.values().every { !it.contains('$') }
    }
    @Test void tooLongParametersAreRefusedBeforeTheAgentDies() {
        assert scripted("node { ecsCanary(image: 'x' * 100001) }") == 'FAILURE'
        assert h.failure.message == 'ecs-pipeline canary: the parameters are longer than 100000 letters'
    }
    @Test void whatNeverBeganHasNoReport() {
        cli.files["/ws@tmp/ecs-pipeline-canary-${REPORTS.tokenize('/').last()}/told".toString()] = '6-1 0\n\n{"outcome": "passed", "release": {"id": "of an earlier build"}}'
        h.steps.writeFile = { StepCall c -> throw new IOException('no space left') }
        assert scripted("node { try { ${CALL} } finally { ecsRollback(cluster: 'shop', service: 'api') } }") == 'FAILURE' && h.failure.message == 'no space left'
        assert !env().ECS_RELEASE && !calls('junit') && echoes == [] && unstable[0].contains('this build began no release')
    }
    @Test void anInstalledProgramMayBeUsedInstead() {
        scripted("node { ecsCanary(executable: '/opt/ecs-pipeline') }")
        assert calls('withEnv')[0].first.contains('ECS_PIPELINE_EXECUTABLE=/opt/ecs-pipeline')
    }
    @Test void itsOwnProgramLiesInAFolderOfItsOwn() {
        scripted("node { ecsCanary(service: 'api') }")
        assert calls('writeFile')*.named*.subMap(['file', 'encoding']) == [[file: "/ws@tmp/ecs-pipeline-canary-${cli.options('canary').reports.tokenize('/').last()}/launch".toString(), encoding: 'Base64']]
    }
    @Test void statusTellsWhatRuns() {
        cli.answers.status = { [0, [canary: [release: 'r2', share: 25.0, verdict: '']]] }
        assert scripted("node { echo(\"\${ecsStatus(service: 'api').release}\") }") == 'SUCCESS'
        assert echoes == ['shop/api: release r0, 3 of 3 tasks run; canary r2 takes 25 %, verdict none yet', 'r0']
        assert cli.options('status').output == 'json' && calls('withEnv')[0].first.contains('ECS_PIPELINE_PRINTS=1')
        assert !calls('junit') && !calls('archiveArtifacts') && !env().ECS_RELEASE
    }
    @Test void statusOfAClusterNamesCanariesThatAreTooOld() {
        cli.answers.status = { [5, [services: [[service: 'api'], [service: 'web']], older: ['web'], message: 'canary too old: web', exit_code: 5]] }
        assert scripted("node { ecsStatus(cluster: 'shop', all: true, olderThan: '6h') }") == 'UNSTABLE'
        assert cli.options('status').older_than == '6h' && cli.options('status').all == true
        assert echoes == ['shop: 2 services; canaries that are too old: web'] && unstable == ['canary too old: web (ecs-pipeline status, exit 5)']
    }
    @Test void statusThatFailsSaysWhy() {
        cli.answers.status = { [2, null, 'no cluster shop; create it'] }
        assert scripted("node { ecsStatus(service: 'api') }") == 'FAILURE'
        assert h.failure.message == 'no cluster shop; create it (ecs-pipeline status, exit 2)'
    }
    @Test void whatAnEarlierCallToldIsNotThisOnes() {
        Class result = h.loader.loadClass('ecspipeline.Result')
        assert result.told('7-1 3\nwhy\n', '7-1', 'canary') == [stage: 'canary', exit_code: 3, message: 'why']
        assert result.told('7-1 0\n\n{"outcome": "passed", "message": ""}\n', '7-1', 'canary') == [stage: 'canary', exit_code: 0, outcome: 'passed', message: '']
        assert result.told('7-1 1\n\n{"outcome": "fai', '7-1', 'canary') == [stage: 'canary', exit_code: 1]
        ['', 'x', '7-12 0\n\n{}\n', '6-1 0\n\n{}\n', '7-1\n\n{}\n'].each { assert result.told(it, '7-1', 'canary') == [:] : it }
    }
    @Test void judgeAndProvisionAreStepsToo() {
        cli.answers.judge = { [5, [message: 'no data']] }
        assert scripted("node { ${CALL}; echo(ecsJudge(cluster: 'shop', service: 'api').outcome); ecsProvision(cluster: 'shop', service: 'api', delete: true, confirm: 'shop') }") == 'UNSTABLE'
        assert cli.options('judge').release == 'r1' && echoes.contains('inconclusive')
        assert cli.options('provision').subMap(['delete', 'confirm']) == [delete: true, confirm: 'shop']
        assert described == 'api shop: r1 canary takes 25 %' : 'a look says nothing of the release'
    }
    @Test void aCommandsWordsAreHandedOverAsTheyAre() {
        String nasty = '$(touch x); `id` "\' ${HOME}'
        assert scripted("node { ecsRun(cluster: 'shop', service: 'api', name: 'migrate', timeout: '5m', command: ['sh', \"-c\", \"echo \${1 + 1}\", ${groovy.json.JsonOutput.toJson(nasty).replace('$', '\\$')}, '']) }") == 'SUCCESS'
        assert cli.options('run').subMap(['command', 'name', 'timeout']) == [command: ['sh', '-c', 'echo 2', nasty, ''], name: 'migrate', timeout: '5m']
        assert cli.shells.every { StepCall c -> !c.named.script.contains('touch') }
        assert calls('junit')*.named.testResults == [REPORTS + '/TEST-ecs-pipeline-run.xml']
    }
    @Test void aCommandRunsInTheReleaseOfThisBuild() {
        scripted("node { ${CALL}; ecsRun(cluster: 'shop', service: 'api', command: ['./migrate']); ecsRun(cluster: 'shop', service: 'api', command: ['./seed'], release: 'r0') }")
        assert cli.allOptions('run')*.release == ['r1', 'r0']
        newBuild()
        cli.answers.canary = { [1, [:]] }
        scripted("node { try { ${CALL} } catch (e) { }; ecsRun(cluster: 'shop', service: 'api', command: ['./migrate']) }")
        assert cli.allOptions('run')*.release == [null] : 'of a release that is gone there is no revision'
    }
    /** Its exit code is its own: neither inconclusive checks nor a signal. */
    @Test void aCommandThatFailsFailsTheBuildWhateverItsCode() {
        [1, 2, 3, 5, 137].each { int code ->
            newBuild()
            cli.answers.run = { [code, [outcome: 'failed', message: "the command ended with exit code ${code}".toString(), cure: '']] }
            assert scripted("node { ecsRun(cluster: 'shop', service: 'api', command: ['./migrate']) }") == 'FAILURE'
            assert h.failure.message == "the command ended with exit code ${code} (ecs-pipeline run, exit ${code})"
            assert calls('junit').size() == 1 && unstable == []
        }
        newBuild()
        cli.answers.run = { [143, [:]] }
        assert scripted("node { ecsRun(cluster: 'shop', service: 'api', command: ['./migrate']) }") == 'ABORTED' && !calls('junit')
    }
    @Test void validateTellsAllAndFailsTheBuild() {
        assert scripted("node { echo(ecsValidate(cluster: 'shop', service: 'api').outcome) }") == 'SUCCESS'
        assert echoes.contains('passed') && calls('junit')*.named.testResults == [REPORTS + '/TEST-ecs-pipeline-validate.xml'] && !env().ECS_RELEASE
        newBuild()
        cli.answers.validate = { [2, [message: '2 findings', failed_step: 'checks', cure: 'correct them before a release']] }
        assert scripted("node { ecsValidate(cluster: 'shop', service: 'api') }") == 'FAILURE'
        assert h.failure.message == 'checks: 2 findings; correct them before a release (ecs-pipeline validate, exit 2)'
    }
    @Test void aCanaryMayBeValidatedFirst() {
        String call = "ecsCanary(cluster: 'shop', service: 'api', image: 'x:1', validate: true)"
        assert scripted(call) == 'SUCCESS'
        assert cli.commands == ['validate', 'canary'] && calls('node').size() == 1
        assert calls('sh')*.named*.label == ['ecs-pipeline validate api shop', 'ecs-pipeline canary api shop']
        assert cli.options('validate').image == 'x:1' && !cli.options('canary').containsKey('validate')
        newBuild()
        cli.answers.validate = { [2, [message: '2 findings', failed_step: 'checks', cure: 'correct them']] }
        assert scripted("try { ${call} } finally { ecsRollback(cluster: 'shop', service: 'api') }") == 'FAILURE'
        assert cli.commands == ['validate'] : 'nothing began, so there is nothing to undo'
        newBuild()
        cli.answers.validate = { [2, [message: '2 findings', failed_step: 'checks', cure: 'correct them']] }
        assert scripted("ecsDeploy(cluster: 'shop', service: 'api', image: 'x:1', validate: true, lock: false)") == 'FAILURE'
        assert cli.commands == ['validate']
        newBuild()
        assert scripted("ecsCanary(cluster: 'shop', service: 'api', image: 'x:1', validate: false)") == 'SUCCESS' && cli.commands == ['canary']
    }
    @Test void pruneShowsWhatWouldGoUnlessItIsTold() {
        cli.answers.prune = { Map o -> [0, o.dry_run ? [plan: ['deregister api:1 of release r0']] : [:]] }
        assert scripted("node { echo(ecsPrune(cluster: 'shop', service: 'api', keep: 20).plan.join()) }") == 'SUCCESS'
        assert cli.options('prune').subMap(['keep', 'dry_run', 'output']) == [keep: '20', dry_run: true, output: 'json']
        assert echoes.contains('deregister api:1 of release r0') && !calls('junit') && !calls('archiveArtifacts')
        newBuild()
        assert scripted("node { ecsPrune(cluster: 'shop', service: 'api', yes: true) }") == 'SUCCESS'
        assert cli.options('prune').yes == true && !cli.options('prune').dry_run
        assert calls('junit')*.named.testResults == [REPORTS + '/TEST-ecs-pipeline-prune.xml']
        newBuild()
        assert scripted("node { ecsPrune(cluster: 'shop', service: 'api', yes: true, dryRun: true) }") == 'SUCCESS'
        assert cli.options('prune').dry_run == true && !calls('junit')
    }
    @Test void aDryRunShowsItsPlanAndLeavesNoTrace() {
        ['ecsCanary', 'ecsPromote', 'ecsRollback', 'ecsJudge', 'ecsProvision'].each {
            newBuild()
            assert scripted("node { echo(${it}(service: 'api', dryRun: true${it == 'ecsRollback' ? ', anyRelease: true' : ''}).plan[1]) }") == 'SUCCESS'
            assert echoes == ["${it}: dry run of shop/api: this would be done\n  image: build it\n  tasks: run 1 task".toString(), 'tasks: run 1 task']
            assert !env().ECS_RELEASE && !described && !calls('junit') && !calls('archiveArtifacts') && !calls('publishHTML')
            assert cli.allOptions(it.substring(3).toLowerCase())[0].output == 'json' && calls('withEnv')[0].first.contains('ECS_PIPELINE_PRINTS=1')
        }
    }
    @Test void promoteTakesTheReleaseOfItsOwnServiceThenOfTheBuild() {
        env().ECS_RELEASE = 'other'
        scripted("node { ecsPromote(service: 'api') }")
        scripted("node { ecsCanary(service: 'web', release: 'mine'); ecsPromote(service: 'web') }")
        scripted("node { ecsPromote(service: 'web', release: 'given') }")
        env().ECS_RELEASE_DB = 'told'
        scripted("node { ecsPromote(service: 'db') }")
        assert cli.allOptions('promote')*.release == ['other', 'mine', 'given', 'told']
    }
}
