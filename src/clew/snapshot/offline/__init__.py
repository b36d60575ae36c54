"""Exports, templates and plans as the answers that AWS would give: checks run on them before anything is deployed.

`folder.read` is the way in. Each kind of file is read into `told.Told`; CloudFormation templates and Terraform plans
become `declared.Resource` values first, which the modules `declared_*` tell alike.
"""
