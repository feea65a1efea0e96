import harness.*
import org.junit.Test

/** Wrong parameters end the build with one line that says what would be right, before anything happens. */
class ParametersTest extends LibraryTestCase {
    private String refusal(String call) {
        newBuild()
        assert scripted("node { ${call} }") == 'FAILURE'
        assert !cli.given && !calls('libraryResource')
        return h.failure.message
    }
    @Test void unknownOnesAreRefusedWithTheNearestRightName() {
        assert refusal("ecsCanary(clustr: 'c')") == 'ecsCanary: no parameter clustr; did you mean cluster?'
        assert refusal("ecsCanary(role_arn: 'c')") == 'ecsCanary: no parameter role_arn; did you mean roleArn?'
        assert refusal("ecsPromote(approveBy: 'c')") == 'ecsPromote: no parameter approveBy; did you mean approvedBy?'
        assert refusal("ecsApprove(submitter: 'c')") == 'ecsApprove: no parameter submitter; did you mean submitters?'
        assert refusal("ecsDeploy(timelimit: '1h')") == 'ecsDeploy: no parameter timelimit; did you mean timeLimit?'
        assert refusal("ecsStatus(image: 'x')").startsWith('ecsStatus: no parameter image; it takes agent, all, cluster, config, ')
    }
    @Test void everyStepRefuses() {
        new File('vars').list().findAll { it.endsWith('.groovy') }*.minus('.groovy').each {
            assert refusal("${it}(servise: 'api')") == "${it}: no parameter servise; did you mean service?"
        }
    }
    @Test void wronglyTypedOnesAreRefused() {
        assert refusal("ecsCanary(replace: 'true')") == "ecsCanary: replace must be true or false, without quotes, not 'true'"
        assert refusal('ecsCanary(release: 12)') == 'ecsCanary: release must be a text in quotes, not 12'
        assert refusal("ecsCanary(image: [repository: 'x'])") == 'ecsCanary: image must be a text in quotes, not a map'
        assert refusal("ecsApprove(watch: '120')") == "ecsApprove: watch must be a duration: '90s', '5m' or '1h', not '120'"
        assert refusal('ecsApprove(timeLimit: 4)') == "ecsApprove: timeLimit must be a duration: '90s', '5m' or '1h', not 4"
        assert refusal('ecsApprove(submitters: 4)') == "ecsApprove: submitters must be names: 'jane,ops' or ['jane', 'ops'], not 4"
    }
    @Test void aCommandIsAListOfTextsAndNeverMissing() {
        ["'./migrate'", '[1]', '[null]', "[['a']]", "[a: 'b']"].each {
            assert refusal("ecsRun(command: ${it})").startsWith("ecsRun: command must be a list of texts in quotes: ['./migrate', '--all'], not ") : it
        }
        ['', 'command: []', 'command: null'].each { assert refusal("ecsRun(${it})").startsWith('ecsRun: command is missing: give its words') : it }
    }
    @Test void aCountIsAWholeNumber() {
        ["'10'", '0', '-1', '1.5'].each { assert refusal("ecsPrune(keep: ${it})").startsWith('ecsPrune: keep must be a whole number without quotes, 1 or more, not ') : it }
    }
    @Test void whatIsGivenWithoutANameIsRefusedInWords() {
        new File('vars').list().findAll { it.endsWith('.groovy') }*.minus('.groovy').each {
            assert refusal("${it}('prd')") == "${it} takes named parameters, for example ${it}(environment: 'prd'), not ${it}('prd')"
            assert refusal("${it}('prd', cluster: 'shop')").startsWith("${it} takes named parameters")
            assert refusal("${it}(7)") == "${it} takes named parameters, for example ${it}(environment: 'prd')"
            assert refusal("${it}('a', 'b')").endsWith("not ${it}('a')")
        }
    }
    @Test void nobodyIsNotEverybody() {
        ["''", 'null', '[]', "[null, '']", "' , '", 'env.NOT_SET'].each {
            assert refusal("ecsApprove(submitters: ${it})").startsWith('ecsApprove: submitters is given, but empty: say who may answer, or leave it out')
            assert refusal("ecsDeploy(submitters: ${it})").startsWith('ecsDeploy: submitters is given, but empty')
        }
    }
    @Test void locksAndHooks() {
        assert refusal('ecsDeploy(lock: true)') == 'ecsDeploy: lock must be false, or the name of a lock in quotes, not true'
        assert refusal("ecsApprove(onOpen: 'mail')") == "ecsApprove: onOpen must be code in braces: { evidence -> ... }, not 'mail'"
        assert refusal("ecsApprove(fourEyes: 'yes')") == "ecsApprove: fourEyes must be true or false, without quotes, not 'yes'"
    }
    @Test void whatIsRefusedIsShownOnOneLine() {
        assert refusal('ecsCanary(image: [:], release: "x\\nFinished: SUCCESS")').readLines().size() == 1
        assert refusal('ecsCanary("x\\u001b[2Ky": 1)').every { it >= ' ' }
    }
    @Test void reportsStayInTheWorkspace() {
        ['/tmp/x', '../x', 'a/../../x', 'a b', 'a*', 'a,b', '.', '..', 'a/./b', 'a/...'].each {
            assert refusal("ecsCanary(reports: '${it}')").startsWith('ecsCanary: reports must be a folder inside the workspace')
        }
        newBuild()
        scripted("node { ecsCanary(reports: 'build/reports') }")
        assert cli.options('canary').reports == 'build/reports'
    }
}
