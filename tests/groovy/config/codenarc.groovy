ruleset {
    description 'the Jenkins library'
    ruleset('rulesets/jenkins.xml') {
        'ClassNotSerializable' { applyToFileNames = null }
        'ClosureInGString' { applyToFileNames = null }
        'CpsCallFromNonCpsMethod' { applyToFileNames = null; cpsScriptVariableName = 'script'; cpsPackages = ['ecspipeline'] }
        'ExpressionInCpsMethodNotSerializable' { applyToFileNames = null }
        'ForbiddenCallInCpsMethod' { applyToFileNames = null }
        'ObjectOverrideOnlyNonCpsMethods' { applyToFileNames = null }
        'ParameterOrReturnTypeNotSerializable' { applyToFileNames = null }
    }
    ruleset('rulesets/basic.xml')
    ruleset('rulesets/imports.xml')
    ruleset('rulesets/unused.xml')
    ruleset('rulesets/exceptions.xml')
}
